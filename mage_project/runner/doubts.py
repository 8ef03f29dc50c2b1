"""What nobody can be sure of when a run is gone on with: it is said before, and asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mage_project.history.runs import StoredRun, named, of_dates
from mage_project.history.stores import Store
from mage_project.project import Block, Pipeline
from mage_project.runner.effects import may_write
from mage_project.runner.failures import Failure, differs


def of_code(pipeline: Pipeline, failure: Failure, running: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What has changed in blocks that run, and in those that do not: the outputs of these are of the old code."""
    blocks = [block for block in pipeline.blocks if block.uuid in failure.statuses]
    changed = [block.uuid for block in blocks if differs(pipeline, block, failure)]
    there = {block.uuid for block in pipeline.blocks}
    told = [f"'{uuid}' has changed since" for uuid in changed if uuid in running]
    told += [f"'{uuid}' is no longer in the pipeline" for uuid in failure.statuses if uuid not in there]
    return told, [f"'{uuid}' has changed since, and does not run again" for uuid in changed if uuid not in running]


def of_variables(failure: Failure, now: Mapping[str, Any]) -> Iterator[str]:
    names = sorted({*now, *failure.variables})
    for name in names:
        if repr(now.get(name)) != repr(failure.variables.get(name)):
            yield f"the variable '{name}' has changed since: what is done was done with the old one"


def of_writing(pipeline: Pipeline, failure: Failure, running: Mapping[str, str]) -> Iterator[str]:
    """Blocks that have written what they write again: all of it, a part, or nobody knows."""
    for uuid, why in running.items():
        block, status = pipeline.block(uuid), failure.statuses.get(uuid)
        if part := (failure.partly or {}).get(uuid):
            yield f"'{uuid}' has written already ({part}), and writes again"
        elif not may_write(block):
            continue
        elif status == "completed":
            yield f"'{uuid}' has written already, and writes again: {why}"
        elif status == "running":
            yield f"'{uuid}' was at work when the run crashed: it may have written already, and writes again"
        elif failure.went_down and status is not None:
            yield f"'{uuid}' may have written already, and writes again: the machine went down, and its log with it"


def of_context(pipeline: Pipeline, failure: Failure, running: Mapping[str, str]) -> Iterator[str]:
    """What blocks of a run that crashed have put into `context` is gone."""
    for block in pipeline.blocks:
        is_done = failure.statuses.get(block.uuid) == "completed" and block.uuid not in running
        if is_done and b"context" in _source(block):
            yield f"'{block.uuid}' does not run again, and what it may have put into `context` is lost"


def of_others(store: Store | None, failure: Failure) -> Iterator[str]:
    """Runs that have done the same since: the scheduler, a backfill or a person has begun it again."""
    mine = named(store, failure.run_id) if store else None
    if store is None or mine is None:
        return
    moment = datetime.fromisoformat(mine.execution_date)
    for run in of_dates(store, mine.pipeline, moment, moment):
        if _is_the_same_again(run, mine) and run.status in ("completed", "running"):
            how = "has completed" if run.status == "completed" else "goes on"
            yield f"run {run.run_id}, which began later with the same date and variables, {how}"


def _is_the_same_again(run: StoredRun, mine: StoredRun) -> bool:
    return run.variables_key == mine.variables_key and run.run_id != mine.run_id and run.started_at >= mine.started_at


def _source(block: Block) -> bytes:
    return block.path.read_bytes() if block.path and block.path.is_file() else b""

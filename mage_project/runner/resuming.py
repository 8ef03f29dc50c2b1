"""Goes on with a run that has failed or crashed: a plan first, then what is left and what depends on it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mage_project.errors import UsageError
from mage_project.history.runs import details
from mage_project.history.stores import store_of
from mage_project.project import Block, Pipeline, Project
from mage_project.project.command import command
from mage_project.runner import beginnings, failures
from mage_project.runner.failures import Failure, fingerprint, is_newer
from mage_project.runner.parts import Part, needed, what_runs
from mage_project.runner.records import RunRecord
from mage_project.runner.reporting import Reporter
from mage_project.runner.running import execute, importable
from mage_project.runner.variables import plain
from mage_project.standins import old_pandas


@dataclass(frozen=True, kw_only=True)
class Step:
    """One block of a plan."""

    block: str
    action: Literal["run", "skip"]
    why: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What resuming a run will do. `told` has changed since and is meant; `doubts` make what is kept doubtful."""

    failure: Failure
    pipeline: Pipeline
    variables: Mapping[str, Any]
    steps: Sequence[Step]
    told: Sequence[str]
    doubts: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        return {
            "resumes": self.failure.run_id,
            "pipeline": self.pipeline.uuid,
            "plan": [{"block": step.block, "action": step.action, "why": step.why} for step in self.steps],
            "changes": [*self.told, *self.doubts],
        }


def plan(project: Project, run_id: str, given: Mapping[str, Any]) -> Plan:
    """The plan for a run, named by the beginning of its name. `UsageError` for one of which nothing is kept.

    `given` are variables over those of the run.
    """
    failure = _failure(project, run_id)
    pipeline = project.pipeline(failure.pipeline)
    running = what_runs(pipeline, failure.statuses, kept=failure.kept, tables=failure.sources)
    steps = [_step(pipeline, failure, block.uuid, running) for block in pipeline.blocks if block.runs]
    variables = {**failure.given, "execution_date": failure.execution_date, **given}
    told, doubts = _code_changes(pipeline, failure, running)
    doubts += _written_again(pipeline, failure, running)
    if failure.began is not None:
        told.insert(0, "it crashed: what it had in memory is lost")
        doubts += _lost_with_it(pipeline, failure, running)
    doubts += _variable_changes(failure, {**plain(pipeline.variables), **failure.given, **given})
    return Plan(failure=failure, pipeline=pipeline, variables=variables, steps=steps, told=told, doubts=doubts)


def resume(
    made: Plan,
    *,
    reporter: Reporter | None = None,
    local: bool = False,
    timeout_s: float | None = None,
    memory_bytes: int | None = None,
    alert: bool = False,
) -> RunRecord:
    """Run what the plan says. What was kept goes when another run has it, or nobody needs it any more.

    The limits are those of the run that failed, its time begun anew; `timeout_s` and `memory_bytes` go over them.
    People hear of it where they heard of that one, and with `alert`.
    """
    pipeline, failure = made.pipeline, made.failure
    limits = replace(
        failure.limits,
        timeout_s=timeout_s or failure.limits.timeout_s,
        memory_bytes=memory_bytes or failure.limits.memory_bytes,
        started=time.monotonic(),
    )
    running = frozenset(step.block for step in made.steps if step.action == "run")
    with importable(pipeline.root), old_pandas.understood():
        part = Part(
            running=running,
            outputs={uuid: _value(pipeline, failure, uuid) for uuid in needed(pipeline, running)},
            held_back=frozenset(uuid for uuid, status in failure.statuses.items() if status == "condition_failed"),
            sources=failure.sources,
            context=failure.context,
            resumes=failure.run_id,
            statuses=failure.statuses,
            trigger=failure.trigger,
            alerts=failure.alerts,
        )
        record, _ = execute(
            pipeline, made.variables, reporter=reporter, local=local, kept=True, part=part, limits=limits, alert=alert
        )
    if record.status == "completed" or record.resume:
        failures.forget(pipeline.root, failure.run_id, record.run_id)
        beginnings.remove(pipeline.root, failure.run_id)
    return record


def _failure(project: Project, run_id: str) -> Failure:
    kept, begun = failures.kept_runs(project.root), beginnings.begun_runs(project.root)
    found = [name for name in sorted({*kept, *begun}, reverse=True) if name.startswith(run_id)]
    if len(found) > 1 and run_id not in found:
        raise UsageError(f"several runs begin with '{run_id}'", hint=f"name one of {', '.join(found)}")
    if not found:
        raise _nothing_kept(project, run_id)
    name = run_id if run_id in found else found[0]
    if name not in kept:
        _check_that_it_crashed(project, name)
    try:
        with importable(project.root), old_pandas.understood():
            if name in kept:
                return failures.failure_of(project.root, name)
            return Failure(**beginnings.read(project.root, name))
    except Exception as error:
        raise UsageError(
            f"what was kept of run {name} cannot be read: {error}",
            where=str(failures.folder_of(project.root, name)),
            hint="run the pipeline again",
        ) from error


def _check_that_it_crashed(project: Project, run_id: str) -> None:
    """`UsageError` for a run that goes on, or has ended and could not take away what it had written as it began."""
    store = store_of(project.root, lambda _line: None)
    status = details(store, run_id).run.status if store else "crashed"
    if status == "running":
        raise UsageError(f"run {run_id} goes on", hint=command(project.root, "runs", "logs", run_id, "--follow"))
    if status != "crashed":
        raise _nothing_kept(project, run_id)


def _nothing_kept(project: Project, run_id: str) -> UsageError:
    for name, other in failures.resumed_by(project.root):
        if name.startswith(run_id):
            return UsageError(f"run {name} was resumed by {other}", hint=command(project.root, "runs", "show", other))
    kept = failures.kept_runs(project.root)
    return UsageError(
        f"nothing is kept of a run '{run_id}': it did not fail, or had nothing done",
        hint=f"runs that can be resumed: {', '.join(kept[:5])}" if kept else "run the pipeline again",
    )


def _step(pipeline: Pipeline, failure: Failure, uuid: str, running: Mapping[str, str]) -> Step:
    if uuid in running:
        return Step(block=uuid, action="run", why=running[uuid])
    words = {"condition_failed": "its condition was false", "skipped": "was not to run"}
    why = words.get(failure.statuses[uuid], "completed")
    kept = uuid in failure.kept and uuid in needed(pipeline, running)
    return Step(block=uuid, action="skip", why=f"{why}, and its output is kept" if kept else why)


def _code_changes(pipeline: Pipeline, failure: Failure, running: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What has changed in blocks that run, and in those that do not: the outputs of these are of the old code."""
    changed = [
        block.uuid for block in pipeline.blocks if block.uuid in failure.statuses and _differs(block, pipeline, failure)
    ]
    told = [f"'{uuid}' has changed since" for uuid in changed if uuid in running]
    told += [f"'{uuid}' is no longer in the pipeline" for uuid in failure.statuses if not _has(pipeline, uuid)]
    return told, [f"'{uuid}' has changed since, and does not run again" for uuid in changed if uuid not in running]


def _differs(block: Block, pipeline: Pipeline, failure: Failure) -> bool:
    if failure.began is None:
        return failure.code[block.uuid] != fingerprint(pipeline, block)
    return is_newer(pipeline, block, failure.began)


def _lost_with_it(pipeline: Pipeline, failure: Failure, running: Mapping[str, str]) -> list[str]:
    """What nobody can know of a run that crashed: whether a commit was done, and what its blocks had said to others."""
    cut = [uuid for uuid in running if failure.statuses.get(uuid) == "running"]
    doubts = [
        f"'{uuid}' was at work when the run crashed: it may have written already, and writes again"
        for uuid in cut
        if pipeline.block(uuid).type == "data_exporter"
    ]
    done = [block for block in pipeline.blocks if failure.statuses.get(block.uuid) == "completed"]
    return doubts + [
        f"'{block.uuid}' does not run again, and what it may have put into `context` is lost"
        for block in done
        if block.uuid not in running and b"context" in _source(block)
    ]


def _source(block: Block) -> bytes:
    return block.path.read_bytes() if block.path and block.path.is_file() else b""


def _written_again(pipeline: Pipeline, failure: Failure, running: Mapping[str, str]) -> list[str]:
    """Exporters that have done their work and have to run again."""
    again = [uuid for uuid in running if failure.statuses.get(uuid) == "completed"]
    return [
        f"'{uuid}' has written already, and writes again: {running[uuid]}"
        for uuid in again
        if pipeline.block(uuid).type == "data_exporter"
    ]


def _has(pipeline: Pipeline, uuid: str) -> bool:
    return any(block.uuid == uuid for block in pipeline.blocks)


def _variable_changes(failure: Failure, now: Mapping[str, Any]) -> list[str]:
    names = sorted({*now, *failure.variables})
    changed = [name for name in names if repr(now.get(name)) != repr(failure.variables.get(name))]
    return [f"the variable '{name}' has changed since: what is kept was made with the old one" for name in changed]


def _value(pipeline: Pipeline, failure: Failure, uuid: str) -> Any:
    """As it was in memory."""
    return failures.value_of(pipeline.root, failure.run_id, uuid) if uuid in failure.kept else None

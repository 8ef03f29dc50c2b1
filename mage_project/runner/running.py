"""Runs a pipeline of a project with everything that it needs around it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project import mage_ai
from mage_project.errors import MageProjectError
from mage_project.io import holders
from mage_project.mage_ai import parentage
from mage_project.project import Pipeline, Project
from mage_project.runner import services
from mage_project.runner.interrupts import Interrupted, Interrupts
from mage_project.runner.limits import Limits
from mage_project.runner.parts import Part
from mage_project.runner.recording import recorded
from mage_project.runner.records import RunRecord
from mage_project.runner.reporting import Reporter, Silent
from mage_project.runner.run import Run
from mage_project.runner.selection import Choice, chosen
from mage_project.standins import arrow_parts, old_pandas, own_writes

if TYPE_CHECKING:
    from mage_project.runner.profiling import Profiling


def run_pipeline(
    project: Project,
    uuid: str,
    variables: Mapping[str, Any] | None = None,
    *,
    reporter: Reporter | None = None,
    local: bool = False,
    choice: Choice | None = None,
    limits: Limits | None = None,
    alert: bool = False,
    profiling: Profiling | None = None,
) -> RunRecord:
    """Run one pipeline, or the blocks of it that are chosen. `alert`: tell people how it ended, as of a trigger's run.

    `profiling`: draw what the process does; it fails no run.

    Raises `MageProjectError` for what is wrong before it starts; else the record tells.
    """
    pipeline, part, given = project.pipeline(uuid), None, variables or {}
    if choice:
        with old_pandas.understood():  # frames are read as they were written
            part, given = chosen(pipeline, choice, given, (reporter or Silent()).said)
    if limits and limits.sample_rows:
        from mage_project.runner.sampling import sampled

        pipeline, part = sampled(pipeline, part, (reporter or Silent()).said)
    return execute(
        pipeline,
        given,
        reporter=reporter,
        local=local,
        kept=True,
        part=part,
        limits=limits,
        alert=alert,
        profiling=profiling,
    )[0]


def execute(
    pipeline: Pipeline,
    variables: Mapping[str, Any],
    *,
    reporter: Reporter | None = None,
    local: bool = False,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    whole: Pipeline | None = None,
    kept: bool = False,
    part: Part | None = None,
    limits: Limits | None = None,
    alert: bool = False,
    profiling: Profiling | None = None,
) -> tuple[RunRecord, Run]:
    """Run the pipeline in its project's surroundings; `inputs` stand in for what upstream blocks would give.

    `kept`: whether the history keeps it. `part`: where only some blocks run.
    """
    teller = reporter or Silent()
    interrupts = Interrupts()
    with surroundings(pipeline.root, interrupts):
        run = Run(
            pipeline,
            variables,
            reporter=teller,
            interrupts=interrupts,
            inputs=inputs,
            whole=whole,
            local=local,
            part=part,
            limits=limits,
        )
        active = replace(pipeline, blocks=tuple(block for block in pipeline.blocks if block.uuid in run.part.running))
        with recorded(run, variables, alert=alert) if kept else nullcontext():
            try:
                name = f"run {run.record.run_id} of {pipeline.uuid}"
                with (
                    _profiled(run, profiling),
                    services.provided(active, variables, local=local, said=lambda line: run.reporter.said(None, line)),
                    holders.named(name),
                    _parentage(run),
                ):
                    record = run.execute()
                    if record.exit_code < 128:  # else it was told to stop, and its children are as well
                        parentage.wait_for_all(run.reporter.said, run.warned)
                    return record, run
            except MageProjectError as error:  # a store that could not be provided
                return run.not_started(error), run
            except Interrupted as error:
                return run.not_started(error), run


def _parentage(run: Run) -> AbstractContextManager[None]:
    date, rows = run.variables["execution_date"], run.limits.sample_rows
    return parentage.belonging_to(run.record.run_id, run.pipeline.uuid, date, sample_rows=rows)


def _profiled(run: Run, profiling: Profiling | None) -> AbstractContextManager[None]:
    if profiling is None:
        return nullcontext()
    from mage_project.runner.profiling import profiled

    path = profiling.path(run.pipeline.root, run.record.run_id)
    return profiled(path, lambda line: run.reporter.said(None, line))


@contextmanager
def surroundings(root: Path, interrupts: Interrupts) -> Iterator[None]:
    """Inside, blocks have what they import, pandas as they know it, and signals end the run."""
    with (
        importable(root),
        old_pandas.understood(),
        arrow_parts.reachable(),
        own_writes.seen(),
        interrupts.listening(),
    ):
        yield


@contextmanager
def importable(root: Path) -> Iterator[None]:
    """Inside, blocks find `mage_ai` and, as in Mage, the project's own modules."""
    from mage_project.mage_ai.settings import repo

    # Arrow reads it when it is first imported. The system's allocator gives memory back soonest, at the same speed.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    mage_ai.install()
    repo.set_repo_path(str(root))
    before = list(sys.path)
    # The folder above comes last, as in Mage: whatever lies there must not hide what is installed.
    sys.path[:] = [str(root), *before, str(root.parent)]
    try:
        yield
    finally:
        sys.path[:] = before

"""Goes on with a run that has failed or crashed: a plan first, then what is left and what depends on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from mage_project.errors import UsageError
from mage_project.history.stores import Store, store_of
from mage_project.project import Pipeline, Project
from mage_project.project.command import command
from mage_project.runner import beginnings, doubts, failures, resumptions
from mage_project.runner.failures import Failure
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
    told, unsure = doubts.of_code(pipeline, failure, running)
    unsure += doubts.of_writing(pipeline, failure, running)
    if failure.began is not None:
        told.insert(0, "it crashed: what it had in memory is lost")
        unsure += doubts.of_context(pipeline, failure, running)
    unsure += doubts.of_others(_store(project), failure)
    unsure += doubts.of_variables(failure, {**plain(pipeline.variables), **failure.given, **given})
    return Plan(failure=failure, pipeline=pipeline, variables=variables, steps=steps, told=told, doubts=unsure)


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
    resumptions.check(pipeline.root, failure.run_id)
    limits = replace(
        failure.limits,
        timeout_s=timeout_s or failure.limits.timeout_s,
        memory_bytes=memory_bytes or failure.limits.memory_bytes,
        started=time.monotonic(),
    )
    running = frozenset(step.block for step in made.steps if step.action == "run")
    with importable(pipeline.root), old_pandas.understood(), _environment(failure):
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
            pipeline,
            made.variables,
            reporter=reporter,
            local=local or failure.local,
            kept=True,
            part=part,
            limits=limits,
            alert=alert,
        )
    if record.status == "completed" or record.resume:
        failures.forget(pipeline.root, failure.run_id)
        beginnings.remove(pipeline.root, failure.run_id)
    else:
        resumptions.release(pipeline.root, failure.run_id)
    return record


@contextmanager
def _environment(failure: Failure) -> Iterator[None]:
    """Inside, ENV is what it was: what Mage's `env` says, and so in which tables SQL blocks write."""
    before = os.environ.get("ENV")
    _set_env(failure.environment)
    try:
        yield
    finally:
        _set_env(before)


def _set_env(value: str | None) -> None:
    os.environ.pop("ENV", None)
    if value is not None:
        os.environ["ENV"] = value


def _failure(project: Project, run_id: str) -> Failure:
    kept, begun = failures.kept_runs(project.root), beginnings.begun_runs(project.root)
    found = [name for name in sorted({*kept, *begun}, reverse=True) if name.startswith(run_id)]
    if len(found) > 1 and run_id not in found:
        raise UsageError(f"several runs begin with '{run_id}'", hint=f"name one of {', '.join(found)}")
    if not found:
        raise _nothing_kept(project, run_id)
    name = run_id if run_id in found else found[0]
    resumptions.check(project.root, name)
    is_kept = name in kept
    try:
        with importable(project.root), old_pandas.understood():
            if is_kept:
                return failures.failure_of(project.root, name)
            if not beginnings.goes_on(project.root, name, _store(project)):
                return Failure(**beginnings.read(project.root, name))
    except Exception as error:
        folder = resumptions.folder_of(project.root, name)
        raise UsageError(
            f"what was kept of run {name} cannot be read: {error}",
            where=str(folder if is_kept else beginnings.path_in(project.root, name)),
            hint="run the pipeline again",
        ) from error
    raise UsageError(f"run {name} goes on", hint=command(project.root, "runs", "logs", name, "--follow"))


def _store(project: Project) -> Store | None:
    return store_of(project.root, lambda _line: None)


def _nothing_kept(project: Project, run_id: str) -> UsageError:
    if other := resumptions.resumed_by(project.root, run_id):
        return UsageError(f"run {run_id} was resumed by {other}", hint=command(project.root, "runs", "show", other))
    kept = sorted({*failures.kept_runs(project.root), *beginnings.begun_runs(project.root)}, reverse=True)
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


def _value(pipeline: Pipeline, failure: Failure, uuid: str) -> Any:
    """As it was in memory."""
    return failures.value_of(pipeline.root, failure, uuid) if uuid in failure.kept else None

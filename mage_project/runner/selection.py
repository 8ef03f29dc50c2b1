"""A run of some blocks of a pipeline: the others' outputs are those that the last run has kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mage_project.errors import UsageError, did_you_mean
from mage_project.project import Pipeline
from mage_project.project.command import command
from mage_project.runner.kept import Kept
from mage_project.runner.parts import Part, handed_over, needed, rows_are_read, stream_of

Said = Callable[[str | None, str], None]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The blocks that were asked for: those from some on, only some, or all but some."""

    first: Sequence[str] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.first or self.only or self.skip)


def chosen(pipeline: Pipeline, choice: Choice, given: Mapping[str, Any], said: Said) -> tuple[Part, dict[str, Any]]:
    """The part of the pipeline that was asked for, and its variables. `UsageError` where a kept output is missing.

    What is read from the last run was made with that run's variables, so they are those of this run as well, `given`
    over them.
    """
    kept = Kept(pipeline)
    asked = _asked(pipeline, choice)
    running = _with_streams(pipeline, kept, asked, frozenset(choice.skip))
    for uuid in sorted(running - asked):
        said(uuid, "runs as well: it streams into a block that runs, and the last run kept only its beginning")
    outputs = {uuid: _output(pipeline, kept, uuid, running) for uuid in needed(pipeline, running)}
    if not outputs:
        return Part(running=running), dict(given)
    _say_whose(kept, outputs, said)
    last = {"execution_date": kept.moment(), **kept.variables()}
    for name in sorted(name for name in given if name in last and str(given[name]) != str(last[name])):
        said(None, f"warning: '{name}' is another one than when those outputs were made")
    return Part(running=running, outputs=outputs), {**last, **given}


def _say_whose(kept: Kept, outputs: Collection[str], said: Said) -> None:
    """Name the run whose outputs are read: the last one, and those before it where that one ran only some blocks."""
    by_run: dict[tuple[str, str | None], list[str]] = {}
    for uuid in outputs:
        by_run.setdefault(kept.origin(uuid), []).append(uuid)
    for (run_id, moment), uuids in by_run.items():
        those = "the output of" if len(uuids) == 1 else "the outputs of"
        whose = f"run {run_id}" if run_id else "the last run"
        date = f" (execution date {moment.partition('.')[0]})" if moment else ""
        said(None, f"{those} {', '.join(uuids)} {'is that' if len(uuids) == 1 else 'are those'} of {whose}{date}")


def _asked(pipeline: Pipeline, choice: Choice) -> frozenset[str]:
    names = [block.uuid for block in pipeline.blocks]
    for uuid in (*choice.first, *choice.only, *choice.skip):
        if uuid not in names:
            raise UsageError(
                f"pipeline '{pipeline.uuid}' has no block '{uuid}'.{did_you_mean(uuid, names)}",
                hint=f"blocks here: {', '.join(names)}",
            )
    if choice.first and choice.only:
        raise UsageError("--from and --only ask for different things", hint="give one of them")
    found = set(choice.only) or (_from(pipeline, choice.first) if choice.first else set(names))
    found -= set(choice.skip)
    if not found:
        raise UsageError("no block is left to run", hint="skip fewer blocks")
    return frozenset(found)


def _from(pipeline: Pipeline, first: Sequence[str]) -> set[str]:
    """The blocks, and all that depend on them."""
    found, added = set(first), set(first)
    while added:
        added = {reader.uuid for uuid in added for reader in pipeline.downstream(uuid)} - found
        found |= added
    return found


def _with_streams(pipeline: Pipeline, kept: Kept, asked: frozenset[str], skipped: Collection[str]) -> frozenset[str]:
    """The blocks with those that stream into them and are not kept: a stream is read again from its loader."""
    running = asked
    while True:
        lacking = [uuid for uuid in needed(pipeline, running) if not _is_there(pipeline, kept, uuid, running)]
        more = {uuid for uuid in lacking if uuid not in skipped and _streams_into(pipeline, uuid, running)}
        if not more:
            return running
        running |= more


def _streams_into(pipeline: Pipeline, uuid: str, running: Collection[str]) -> bool:
    members = stream_of(pipeline, uuid)
    return any(reader.uuid in members and reader.uuid in running for reader in pipeline.downstream(uuid))


def _is_there(pipeline: Pipeline, kept: Kept, uuid: str, running: Collection[str]) -> bool:
    return not pipeline.block(uuid).runs or kept.is_whole(uuid) or not rows_are_read(pipeline, uuid, running)


def _output(pipeline: Pipeline, kept: Kept, uuid: str, running: Collection[str]) -> Any:
    block = pipeline.block(uuid)
    if not block.runs or not rows_are_read(pipeline, uuid, running):
        return None
    if kept.is_whole(uuid):
        return handed_over(pipeline, uuid, kept.whole(uuid))
    readers = ", ".join(f"'{reader.uuid}'" for reader in pipeline.downstream(uuid) if reader.uuid in running)
    if not kept.exists():
        what = f"no run of '{pipeline.uuid}' has kept the output of '{uuid}', which {readers} reads"
        raise UsageError(what, hint=f"run it first: {command(pipeline.root, 'run', pipeline.uuid)}")
    what = f"the last run has not kept the whole output of '{uuid}', which {readers} reads"
    again = command(pipeline.root, "run", pipeline.uuid, "--from", uuid)
    raise UsageError(what, hint=f"begin earlier: {again}")

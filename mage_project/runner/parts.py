"""A part of a pipeline: the blocks that run, and what stands in for the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mage_project.project import Block, Pipeline
from mage_project.runner import dynamic
from mage_project.runner.plan import units


@dataclass(frozen=True, kw_only=True)
class Part:
    """`outputs` are those of blocks that do not run and are read by blocks that do.

    `held_back`: blocks that do not run because a condition was false. `sources`: what SQL blocks have left in their
    stores, `context` what blocks have left there for others. `resumes`: the run that this one goes on with,
    `statuses` how its blocks ended, `trigger` what had started it, and `alerts` whether people were to hear of it.
    """

    running: frozenset[str]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    held_back: frozenset[str] = frozenset()
    sources: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    resumes: str | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)
    trigger: str | None = None
    alerts: bool = False

    @classmethod
    def whole(cls, pipeline: Pipeline) -> Part:
        return cls(running=frozenset(block.uuid for block in pipeline.blocks))

    def status(self, uuid: str) -> Literal["pending", "skipped", "condition_failed"]:
        """What the record of a block says before the run."""
        if uuid in self.running:
            return "pending"
        return "condition_failed" if uuid in self.held_back else "skipped"


def needed(pipeline: Pipeline, running: Collection[str]) -> list[str]:
    """The blocks that do not run and whose outputs are read by one that does, in the pipeline's order."""
    read = {uuid for block in pipeline.blocks if block.uuid in running for uuid in block.upstream}
    return [block.uuid for block in pipeline.blocks if block.uuid in read and block.uuid not in running]


def rows_are_read(pipeline: Pipeline, uuid: str, running: Collection[str]) -> bool:
    """Whether a block that runs reads the output itself. A SQL block reads the table that another one has left."""
    return not all(_reads_a_table(pipeline.block(uuid), reader, running) for reader in pipeline.downstream(uuid))


def _reads_a_table(block: Block, reader: Block, running: Collection[str]) -> bool:
    if reader.uuid not in running:
        return True
    if not reader.language == block.language == "sql":
        return False
    from mage_project.runner.sql.blocks import leaves_a_table

    return leaves_a_table(block, reader)


def handed_over(pipeline: Pipeline, uuid: str, value: Any) -> Any:
    """A kept output as its readers get it: those of a block that ran for each item are its children's."""
    return dynamic.Children(outputs=value) if uuid in dynamic.spawned(pipeline.blocks) else value


def stream_of(pipeline: Pipeline, uuid: str) -> frozenset[str]:
    """The blocks that share one pass over a source with this one; itself alone where it is in no stream."""
    return next(frozenset(unit.uuids) for unit in units(pipeline.blocks) if uuid in unit.uuids)


#: Statuses of blocks that have nothing left to do.
_DONE = ("completed", "skipped", "condition_failed")


def what_runs(
    pipeline: Pipeline, statuses: Mapping[str, str], *, kept: Collection[str], tables: Collection[str]
) -> dict[str, str]:
    """The blocks that are left of a run that failed, each with the reason.

    Those that were not completed, with all of their stream; and those whose output is read again and not kept.
    `kept` names the blocks whose outputs are at hand, `tables` those of which it is known what they left in a store.
    """
    names = [block.uuid for block in pipeline.blocks if block.runs]
    found = {uuid: _why(statuses.get(uuid)) for uuid in names if statuses.get(uuid) not in _DONE}
    streams = [unit.uuids for unit in units(pipeline.blocks) if unit.is_stream]
    while True:
        more: dict[str, str] = {}
        for members in streams:
            running = [uuid for uuid in members if uuid in found]
            rest = [uuid for uuid in members if uuid not in found and statuses.get(uuid) == "completed"]
            more |= {uuid: f"the stream of '{running[0]}' is read again from its loader" for uuid in rest if running}
        for uuid in needed(pipeline, found):
            if (
                statuses.get(uuid) in ("completed", "skipped")
                and uuid not in kept
                and not _gives_nothing(pipeline, uuid, found, tables)
            ):
                readers = [reader.uuid for reader in pipeline.downstream(uuid) if reader.uuid in found]
                more.setdefault(uuid, f"its output is not kept, and '{readers[0]}' reads it")
        if not more:
            return found
        found |= more


def _gives_nothing(pipeline: Pipeline, uuid: str, running: Collection[str], tables: Collection[str]) -> bool:
    """Whether its readers get nothing of it anyway: a table that is left, or an exporter that streams."""
    is_fed = pipeline.block(uuid).type == "data_exporter" and len(stream_of(pipeline, uuid)) > 1
    return is_fed or (uuid in tables and not rows_are_read(pipeline, uuid, running))


def _why(status: str | None) -> str:
    words = {
        "failed": "failed",
        "pending": "had not begun",
        "upstream_failed": "needs a block that failed",
        "running": "had begun when the run crashed",
        None: "is new in the pipeline",
    }
    return words.get(status, "was not completed")

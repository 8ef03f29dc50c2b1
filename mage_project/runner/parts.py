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
    stores. `resumes`: the run that this one goes on with.
    """

    running: frozenset[str]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    held_back: frozenset[str] = frozenset()
    sources: Mapping[str, Any] = field(default_factory=dict)
    resumes: str | None = None

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

"""A pipeline run for its tests alone: nothing is written to a store, and nobody is called back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mage_project.errors import MageProjectError, TestFailed
from mage_project.project import Block, Pipeline
from mage_project.project.graph import in_order
from mage_project.runner.records import BlockRecord, TestRecord
from mage_project.runner.running import execute

#: Statuses of blocks that have run, whatever their tests say.
_RUN = ("completed", "failed")


class Trial:
    """One run of the blocks that write nothing."""

    def __init__(self, pipeline: Pipeline, variables: Mapping[str, Any]) -> None:
        self._left_out = left_out(pipeline)
        kept = tuple(replace(block, callbacks=()) for block in pipeline.blocks if block.uuid not in self._left_out)
        self.error: str | None = None
        self.exit_code = 0
        self.is_not_published = False
        self._blocks: Mapping[str, BlockRecord] = {}
        if kept:
            self._run(replace(pipeline, blocks=kept), variables, pipeline)

    def _run(self, part: Pipeline, variables: Mapping[str, Any], whole: Pipeline) -> None:
        try:
            record, _ = execute(part, variables, whole=whole)
        except MageProjectError as error:
            self.error, self.exit_code = str(error.within(part.root)), error.exit_code
            return
        self.error, self.exit_code = record.error, record.exit_code
        self.is_not_published = record.status == "not_published"
        self._blocks = {block.uuid: block for block in record.blocks}

    @property
    def has_broken(self) -> bool:
        """Whether it ended otherwise than by a test that failed."""
        return self.error is not None and self.exit_code != TestFailed.exit_code

    def test(self, uuid: str, name: str, place: int) -> TestRecord | None:
        """What became of the block's `place`-th test of this name, from 0; None where it has not run."""
        record = self._blocks.get(uuid)
        named = [test for test in record.tests if test.name == name and test.ran] if record else []
        return named[place] if place < len(named) else None

    def failed_tests(self) -> list[tuple[str, str]]:
        """Block and name of every test that failed."""
        return [
            (block.uuid, test.name)
            for block in self._blocks.values()
            for test in block.tests
            if test.ran and not test.passed
        ]

    def reason(self, uuid: str) -> str:
        """Why the block, or a test of it, has not run."""
        if uuid in self._left_out:
            return self._left_out[uuid]
        status = self._blocks[uuid].status if uuid in self._blocks else "pending"
        if status == "condition_failed":
            return "the block's condition was false"
        if status == "skipped":
            return "a run passes over the block"
        failed = [block.uuid for block in self._blocks.values() if block.status == "failed"]
        if failed and failed != [uuid]:
            return f"not run: block '{failed[0]}' failed"
        return "the block failed before" if self.error else "the block did not bring this test along"


def left_out(pipeline: Pipeline) -> dict[str, str]:
    """The blocks that are not run, with the reason: those that write to a store, and those that need them."""
    found: dict[str, str] = {}
    for uuid in in_order({block.uuid: block.upstream for block in pipeline.blocks}):
        reason = _writes(block := pipeline.block(uuid))
        missing = next((each for each in block.upstream if each in found), None)
        if reason or missing:
            found[uuid] = reason or f"it needs block '{missing}', which is not run"
    return found


def _writes(block: Block) -> str | None:
    if not block.runs:
        return None
    if block.type == "data_exporter":
        return "exporters are not run: no store is written"
    return "SQL blocks are not run: they write to a store" if block.language == "sql" else None

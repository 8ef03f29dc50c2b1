"""A pipeline run for its tests alone: nothing is written to a store, and nobody is called back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mage_project.cli.check_tables import check_lines
from mage_project.errors import MageProjectError, TestFailed
from mage_project.project import Block, Pipeline
from mage_project.project.graph import in_order
from mage_project.runner.records import BlockRecord
from mage_project.runner.running import execute


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a test or a check has found. One that has not passed may only be a warning."""

    passed: bool
    message: str | None = None
    is_warning: bool = False


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

    def test(self, uuid: str, name: str, place: int = 0) -> Verdict | None:
        """What the block's `place`-th test of this name has found, from 0; None where it has not run."""
        record = self._blocks.get(uuid)
        named = [test for test in record.tests if test.name == name and test.ran] if record else []
        if place >= len(named):
            return None
        test = named[place]
        where = f"\n  where: {test.where}" if test.where and not test.passed else ""
        return Verdict(passed=test.passed, message=f"{test.message or ''}{where}" or None)

    def check(self, uuid: str, name: str) -> Verdict | None:
        """What the block's check has found: in the first run that breaks it. None where it was not made."""
        record = self._blocks.get(uuid)
        runs = [record, *(record.children or ())] if record else []
        found = [check for run in runs for check in run.checks if check.name == name]
        if not found:
            return None
        broken = next((check for check in found if not check.passed), None)
        if broken is None:
            return Verdict(passed=True, message=found[0].message)
        return Verdict(passed=False, message="\n".join(check_lines(broken)), is_warning=not broken.failed)

    def failed(self) -> set[tuple[str, str]]:
        """Block and name of every test and check that failed."""
        blocks = self._blocks.values()
        tests = {(block.uuid, test.name) for block in blocks for test in block.tests if test.ran and not test.passed}
        return tests | {(block.uuid, check.name) for block in blocks for check in block.checks if check.failed}

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
        if failed:
            return f"not run: block '{failed[0]}' failed"
        return "the run could not begin" if self.error else "this run had nothing for it to look at"


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

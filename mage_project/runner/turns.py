"""The turn of one unit: what its blocks are given, whether their conditions let them run, and what they hand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mage_project.project import Block
from mage_project.runner import dynamic, values
from mage_project.runner.plan import Unit
from mage_project.runner.siblings import Siblings

if TYPE_CHECKING:
    from mage_project.runner.run import Run


class Turn:
    """One unit of a run, to be run once."""

    def __init__(self, unit: Unit, run: Run) -> None:
        self._unit = unit
        self._run = run
        #: What the unit has taken of others' outputs, by the block that made it.
        self.taken: dict[str, Any] = {}

    def take(self) -> None:
        """Run the unit, without the blocks whose condition is false and those that need them. Raises its error."""
        run, unit = self._run, self._unit
        given = {block.uuid: self._inputs(block) for block in unit.blocks}
        self.taken = _by_upstream(unit, given)
        inputs = self._allowed(given)
        unit = unit.only([block for block in unit.blocks if block.uuid in inputs])
        if not unit.blocks:
            return
        first = unit.blocks[0]
        if first.uuid in run.spawned:
            run.values.put(first.uuid, self._run_children(first, given[first.uuid]))
            return
        returned = run.attempts.run(unit, inputs)
        if not unit.is_stream and first.runs:
            hand_on = values.outputs if first.is_dynamic else values.handed_on
            run.values.put(first.uuid, hand_on(returned))
        if first is run.pipeline.blocks[-1]:
            run.output = returned

    def _inputs(self, block: Block) -> list[Any]:
        if block.uuid in self._run.inputs:
            return list(self._run.inputs[block.uuid])
        members = self._unit.uuids if self._unit.is_stream else ()
        return [None if uuid in members else self._run.values.take(uuid) for uuid in block.upstream]

    def _allowed(self, given: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """The inputs of the blocks that run. The conditions of a dynamic child are asked for each of its runs."""
        run, inputs = self._run, {}
        for block in self._unit.blocks:
            if run.passed_over.isdisjoint(block.upstream):
                mine = self._combined(block, given[block.uuid])
                if block.uuid in run.spawned or run.addons.allow(block, mine):
                    inputs[block.uuid] = mine
                    continue
            self._pass_over(block)
        return inputs

    def _pass_over(self, block: Block) -> None:
        self._run.passed_over.add(block.uuid)
        self._run.record.block(block.uuid).status = "condition_failed"

    def _combined(self, block: Block, given: Sequence[Any]) -> Sequence[Any]:
        """The inputs of a block that runs once, where blocks before it ran several times."""
        run = self._run
        if block.uuid in run.inputs or block.uuid in run.spawned:
            return given
        (call,) = dynamic.calls([run.pipeline.block(uuid) for uuid in block.upstream], given, many=False)
        run.more[block.uuid] = call.keywords
        return call.inputs

    def _run_children(self, block: Block, given: Sequence[Any]) -> dynamic.Children:
        """Run a dynamic child once for each item. One whose condition is false also holds back what comes after."""
        run = self._run
        calls = dynamic.calls([run.pipeline.block(uuid) for uuid in block.upstream], given, many=True)
        siblings = Siblings(block, run, calls)
        try:
            outputs = siblings.execute()
        finally:
            if siblings.is_held_back:
                run.passed_over.add(block.uuid)
        run.keep(block, outputs)
        run.reporter.block_ended(run.record.block(block.uuid))
        return dynamic.Children(outputs=outputs)


def _by_upstream(unit: Unit, given: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """What the blocks of a unit were given, by the blocks outside that it comes from."""
    return {
        uuid: value
        for block in unit.blocks
        for uuid, value in zip(block.upstream, given[block.uuid], strict=False)  # a block of its own has no upstream
        if not (unit.is_stream and uuid in unit.uuids)
    }

"""The runs of one block for each item of a dynamic one: side by side where its file shows that they may be.

That is decided as for any two blocks, with the block standing on both sides. It holds only where the block has the run
to itself, so that no more go on at once than blocks may.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mage_project.errors import MageProjectError
from mage_project.project import Block
from mage_project.runner import dynamic, values
from mage_project.runner.crew import Crew
from mage_project.runner.effects import effects_of
from mage_project.runner.plan import Unit

if TYPE_CHECKING:
    from mage_project.runner.run import Run

#: How many names, and how many messages, are told of those that failed.
_SHOWN = 5


class Siblings:
    """One block, to be run once for each call."""

    def __init__(self, block: Block, run: Run, calls: Sequence[dynamic.Call]) -> None:
        self._block, self._run = block, run
        self._record = run.record.block(block.uuid)
        self._record.status, self._record.children = "running", []
        self._calls: dict[str, dynamic.Call] = {}
        self._units: list[Unit] = []
        for call in calls:
            child = replace(block, uuid=self._record.new_child(call.name).uuid, child_of=block.uuid)
            run.more[child.uuid] = {"dynamic_block_index": call.index, **call.keywords}
            self._calls[child.uuid] = call
            self._units.append(Unit(blocks=(child,)))
        self._outputs: dict[str, list[Any]] = {}
        #: Whether a condition has held one of them back.
        self.is_held_back = False

    def execute(self) -> list[list[Any]]:
        """The outputs of each, in the order of the calls, without those that a condition held back.

        Raises the error of the first that failed, when those beside it have ended; all, where blocks may fail.
        """
        started = time.perf_counter()
        try:
            errors = self._crew().work()
        finally:
            self._record.gather(time.perf_counter() - started)
        if errors:
            raise self._summed_up(errors)
        return [self._outputs[unit.uuids[0]] for unit in self._units if unit.uuids[0] in self._outputs]

    def _crew(self) -> Crew:
        run, places = self._run, range(len(self._units))
        effects = effects_of(self._block)
        at_once = 1 if run.interrupts.is_in_thread or effects.hinder(effects) else run.at_once
        return Crew(
            self._units,
            self._take,
            needs=dict.fromkeys(places, frozenset[int]()),
            at_once=at_once,
            goes_on=run.limits.blocks_may_fail,
            interrupts=run.interrupts,
            told=run.told_of,
        )

    def _take(self, unit: Unit) -> None:
        run, [child] = self._run, unit.blocks
        call = self._calls[child.uuid]
        if run.addons.allow(child, call.inputs):
            self._outputs[child.uuid] = values.outputs(run.attempts.run(unit, {child.uuid: call.inputs}))
        else:
            run.record.block(child.uuid).status = "condition_failed"
            self.is_held_back = True

    def _summed_up(self, errors: Sequence[MageProjectError]) -> MageProjectError:
        """The first error; where several failed it says how many, and of the others what they say.

        What is not published yet comes first only where nothing else went wrong: it would hide the failures.
        """
        first = next((error for error in errors if not error.not_published), errors[0])
        if len(errors) == 1:
            return first
        said: dict[str, list[str]] = {}
        for error in errors:
            if error is not first:
                said.setdefault(error.what, []).append(str(error.block))
        lines = [f"  also:  {_listed(names)}: {what}" for what, names in said.items()]
        more = [f"  also:  {len(lines) - _SHOWN} other messages"] if len(lines) > _SHOWN else []
        count = f"{len(errors)} of the {len(self._units)} runs of '{self._block.uuid}' failed"
        first.what = "\n".join([f"{count}; {first.block}: {first.what}", *lines[:_SHOWN], *more])
        first.exit_code = max(error.exit_code for error in errors)
        return first


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

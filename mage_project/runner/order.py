"""Which units wait for which: for those that feed them, and for those before them in the file that may concern them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mage_project.project import Block
from mage_project.runner.effects import UNSEEN, Effects, effects_of
from mage_project.runner.plan import Unit


def needs(units: Sequence[Unit]) -> dict[int, set[int]]:
    """For each unit, by its place in the order, the places of those that must have ended before it begins.

    Where the graph leaves a choice two units change places, or overlap, only if it shows that neither touches what
    the other one does: the check of a table comes after the exporter that is listed before it.
    """
    place = {uuid: index for index, unit in enumerate(units) for uuid in unit.uuids}
    fed = {index: _feeding(unit, place) - {index} for index, unit in enumerate(units)}
    behind = _behind(fed)
    if all(len(behind[index]) == index for index in fed):  # a chain: nothing is free
        return fed
    effects = [_effects(unit) for unit in units]
    for index in fed:
        free = set(range(index)) - behind[index]
        fed[index] |= {other for other in free if effects[index].hinder(effects[other])}
    return fed


def one_by_one(units: Sequence[Unit]) -> dict[int, set[int]]:
    """The same where nothing runs side by side."""
    return {index: {index - 1} if index else set() for index in range(len(units))}


def _feeding(unit: Unit, place: Mapping[str, int]) -> set[int]:
    return {place[uuid] for block in unit.blocks for uuid in block.upstream if uuid in place}


def _behind(fed: Mapping[int, set[int]]) -> dict[int, set[int]]:
    """All that comes before each unit in the graph."""
    found: dict[int, set[int]] = {}
    for index, direct in fed.items():
        found[index] = direct.union(*(found[other] for other in direct))
    return found


def _effects(unit: Unit) -> Effects:
    """A stream has threads of its own, and is bounded in memory as long as it has the machine to itself."""
    if unit.is_stream:
        return UNSEEN
    found = Effects()
    for block in unit.blocks:
        found |= _of(block)
    return found


def _of(block: Block) -> Effects:
    return effects_of(block) if block.runs else Effects()

"""The order of blocks: upstream first, and the file's order wherever the graph leaves a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from mage_project.project.model import Block


def find_cycle(blocks: Sequence[Block]) -> list[str]:
    """The names along one cycle, in the direction of the data, or an empty list."""
    names = {block.uuid for block in blocks}
    sorter = TopologicalSorter({block.uuid: names.intersection(block.upstream) for block in blocks})
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])[:-1]
    return []


def in_order(upstream: Mapping[str, Sequence[str]]) -> list[str]:
    """`upstream`'s keys, each after those it names; among the ready ones always the first of the mapping's order."""
    place = {name: index for index, name in enumerate(upstream)}
    sorter = TopologicalSorter(upstream)
    sorter.prepare()
    ready: list[str] = []
    order: list[str] = []
    while sorter.is_active():
        ready += sorter.get_ready()
        ready.sort(key=place.__getitem__)
        name = ready.pop(0)
        order.append(name)
        sorter.done(name)
    return order

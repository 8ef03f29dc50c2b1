"""Dynamic blocks: what a block is given where its upstream blocks gave items, or ran once for each item.

A dynamic block returns `[items, metadata]`. Each reader runs once for each item (a child), and so do the readers of
its children, down to a block that says `reduce_output`: its reader gets what all of its children returned, in a list.
Where a block has several such inputs, it runs for every combination, the last input changing fastest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from mage_project.project import Block
from mage_project.project.graph import in_order
from mage_project.runner import values
from mage_project.runner.blame import misuse

_SHAPE = "return [[item, ...], [metadata, ...]]: the items, and a dict for each of them, or none"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One input of one run, with the keyword arguments that come with it."""

    value: Any
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Children:
    """The outputs of each run of one block, in the order of the runs."""

    outputs: Sequence[list[Any]]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One run of a block: its inputs, and more keyword arguments. `index` counts the children of a block from 0."""

    inputs: Sequence[Any]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    index: int | None = None

    @property
    def name(self) -> str:
        """What distinguishes the child: `block_uuid` of its metadata, else its number."""
        return str(self.keywords.get("block_uuid", self.index))


def spawned(blocks: Iterable[Block]) -> frozenset[str]:
    """The blocks that run once for each item."""
    by_uuid = {block.uuid: block for block in blocks}
    found: set[str] = set()
    for block in map(by_uuid.__getitem__, in_order({block.uuid: block.upstream for block in by_uuid.values()})):
        sources = [by_uuid[uuid] for uuid in block.upstream]
        if any(not source.reduces and (source.is_dynamic or source.uuid in found) for source in sources):
            found.add(block.uuid)
    return frozenset(found)


def calls(upstream: Sequence[Block], given: Sequence[Any], *, many: bool) -> list[Call]:
    """How a block is to be run on what its upstream blocks gave; once, unless it is one of many.

    Raises BlockError for a dynamic block that returned something else than items.
    """
    axes = [_items(block, value) for block, value in zip(upstream, given, strict=True)]
    return [_call(place, items, many=many) for place, items in enumerate(product(*axes))]


def _call(place: int, items: Sequence[Item], *, many: bool) -> Call:
    keywords = {name: value for item in items for name, value in item.metadata.items()}
    inputs = [item.value for item in items]
    return Call(inputs=inputs, keywords=keywords, index=place if many else None)


def _items(block: Block, value: Any) -> list[Item]:
    """What one upstream block gives to the runs of its reader; a dynamic block's value is the list of its outputs."""
    if isinstance(value, Children):
        if block.is_dynamic:
            return [item for outputs in value.outputs for item in items_of(block, outputs)]
        every = [_of_child(outputs) for outputs in value.outputs]
        return [_reduced(every)] if block.reduces else every
    return items_of(block, value or []) if block.is_dynamic else [Item(value=value)]


def _of_child(outputs: list[Any]) -> Item:
    """What a child returned. The second of two outputs, if it is a dict, also becomes keyword arguments."""
    value = outputs[0] if len(outputs) == 1 else outputs or None
    is_pair = len(outputs) == 2 and isinstance(outputs[1], dict)
    return Item(value=value, metadata=outputs[1] if is_pair else {})


def _reduced(children: Sequence[Item]) -> Item:
    """All of them in one list, into which lists are unpacked, as Mage does."""
    gathered: list[Any] = []
    metadata: dict[str, Any] = {}
    for child in children:
        unpacked = isinstance(child.value, list) and not child.metadata
        gathered += child.value if unpacked else [child.value]
        metadata.update(child.metadata)
    return Item(value=gathered, metadata=metadata)


def items_of(block: Block, outputs: Sequence[Any]) -> list[Item]:
    """The items of a dynamic block, each with its metadata. A row of a frame comes as a Series.

    Raises BlockError for anything else.
    """
    items, metadata = [*outputs, None, None][:2]
    metadata = metadata or []
    if values.is_frame(items):
        items = [items.iloc[place] for place in range(len(items))]
    if not isinstance(items, list) or not isinstance(metadata, list) or not all(map(_is_dict, metadata)):
        got = ", ".join(type(output).__name__ for output in outputs)
        raise misuse(block, f"the dynamic block '{block.uuid}' returned no items and metadata, but: {got}", _SHAPE)
    padded = [*metadata, *({} for _ in items[len(metadata) :])]
    return [Item(value=item, metadata=more) for item, more in zip(items, padded, strict=False)]


def surprises(block: Block, outputs: Sequence[Any]) -> Iterator[str]:
    """What of a dynamic block's items and metadata is hardly meant. In Mage one of two runs of one name is left out."""
    items, metadata = [*outputs, None, None][:2]
    if metadata and len(items) != len(metadata):
        few = "the last items have none" if len(items) > len(metadata) else "the last of them are not used"
        yield f"the dynamic block '{block.uuid}' gave {len(items)} items and {len(metadata)} metadata: {few}"
    names = [str(each["block_uuid"]) for each in metadata or () if each.get("block_uuid")]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the dynamic block '{block.uuid}' calls {names.count(name)} items '{name}': Mage runs only one of them"


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)

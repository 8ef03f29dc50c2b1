"""A pipeline's graph as text and as Mermaid."""

from __future__ import annotations

from collections.abc import Iterator

from mage_project.project import Block, Pipeline
from mage_project.project.graph import in_order


def as_text(pipeline: Pipeline) -> str:
    """One line a block in the order of a run: `name  (type)  ← upstream`, streams marked with ≈.

    `? name` is a condition that is asked before the block, `! name` a callback that is called after it.
    """
    order = in_order({block.uuid: block.upstream for block in pipeline.blocks})
    blocks = [pipeline.block(uuid) for uuid in order]
    width = max((len(block.uuid) for block in blocks), default=0)
    return "\n".join(_line(block, width) for block in blocks) or "no blocks"


def _line(block: Block, width: int) -> str:
    source = f"  ← {', '.join(block.upstream)}" if block.upstream else ""
    asked = f"  ? {', '.join(each.uuid for each in block.conditions)}" if block.conditions else ""
    called = f"  ! {', '.join(each.uuid for each in block.callbacks)}" if block.callbacks else ""
    return f"{'≈' if block.streams else ' '} {block.uuid.ljust(width)}  ({block.type}){source}{asked}{called}"


def as_mermaid(pipeline: Pipeline) -> str:
    """A Mermaid flowchart, for a README or a notebook. Conditions and callbacks have dotted arrows."""
    place = {block.uuid: f"b{index}" for index, block in enumerate(pipeline.blocks)}
    lines = [f"    {place[block.uuid]}[{_label(block)}]" for block in pipeline.blocks]
    for block in pipeline.blocks:
        lines += [f"    {place[uuid]} --> {place[block.uuid]}" for uuid in block.upstream]
    return "\n".join(["flowchart LR", *lines, *_addons(pipeline, place)])


def _addons(pipeline: Pipeline, place: dict[str, str]) -> Iterator[str]:
    """Each of them once, with an arrow for each of its blocks."""
    conditions = {each.uuid: each for block in pipeline.blocks for each in block.conditions}
    callbacks = {each.uuid: each for block in pipeline.blocks for each in block.callbacks}
    asked = {uuid: f"q{index}" for index, uuid in enumerate(conditions)}
    called = {uuid: f"c{index}" for index, uuid in enumerate(callbacks)}
    yield from (f"    {asked[uuid]}{{{{{_label(each)}}}}}" for uuid, each in conditions.items())
    yield from (f"    {called[uuid]}([{_label(each)}])" for uuid, each in callbacks.items())
    for block in pipeline.blocks:
        yield from (f"    {asked[each.uuid]} -.-> {place[block.uuid]}" for each in block.conditions)
        yield from (f"    {place[block.uuid]} -.-> {called[each.uuid]}" for each in block.callbacks)


def _label(block: Block) -> str:
    name = block.uuid.replace('"', "#quot;")
    return f'"{name}<br/><i>{block.type}</i>"'

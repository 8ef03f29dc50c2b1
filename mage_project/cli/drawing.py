"""A pipeline's graph as text and as Mermaid."""

from __future__ import annotations

from mage_project.project import Block, Pipeline
from mage_project.project.graph import in_order


def as_text(pipeline: Pipeline) -> str:
    """One line a block in the order of a run: `name  (type)  ← upstream`, streams marked with ≈."""
    order = in_order({block.uuid: block.upstream for block in pipeline.blocks})
    blocks = [pipeline.block(uuid) for uuid in order]
    width = max((len(block.uuid) for block in blocks), default=0)
    return "\n".join(_line(block, width) for block in blocks) or "no blocks"


def _line(block: Block, width: int) -> str:
    source = f"  ← {', '.join(block.upstream)}" if block.upstream else ""
    return f"{'≈' if block.streams else ' '} {block.uuid.ljust(width)}  ({block.type}){source}"


def as_mermaid(pipeline: Pipeline) -> str:
    """A Mermaid flowchart, for a README or a notebook."""
    place = {block.uuid: f"b{index}" for index, block in enumerate(pipeline.blocks)}
    lines = ["flowchart LR"]
    for block in pipeline.blocks:
        label = block.uuid.replace('"', "#quot;")
        lines.append(f'    {place[block.uuid]}["{label}<br/><i>{block.type}</i>"]')
    for block in pipeline.blocks:
        lines += [f"    {place[uuid]} --> {place[block.uuid]}" for uuid in block.upstream]
    return "\n".join(lines)

"""A run on the first rows of every loader, to try a pipeline: nothing that it would write is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mage_project.errors import UsageError
from mage_project.project import Block, Pipeline
from mage_project.runner import values
from mage_project.runner.parts import Part
from mage_project.runner.speech import Said

#: How the history calls the rows among the variables of a run: such a run is never taken for one of the whole.
VARIABLE = "(rows of each loader)"


def sampled(pipeline: Pipeline, part: Part | None, said: Said) -> tuple[Pipeline, Part]:
    """The pipeline without what is of the whole or tells others, and the part of it that writes nothing.

    Exporters write, SQL blocks leave tables; neither runs, nor what needs them. Checks of the whole and callbacks go.
    """
    part = part or Part.whole(pipeline)
    held = {block.uuid for block in pipeline.blocks if block.type == "data_exporter" or block.language == "sql"}
    while more := {b.uuid for b in pipeline.blocks if b.uuid not in held and not held.isdisjoint(b.upstream)}:
        held |= more
    running = part.running - held
    if not running:
        raise UsageError(
            "no block is left to run: a sample runs no exporters, no SQL blocks and nothing that needs them",
            hint="run the pipeline without --sample",
        )
    skipped = [block.uuid for block in pipeline.blocks if block.uuid in part.running & held and block.runs]
    if skipped:
        said(None, f"a sample: {', '.join(skipped)} would write, or need what would be written, and do not run")
    blocks = tuple(
        replace(block, callbacks=(), checks=tuple(rule for rule in block.checks if rule.is_of_rows))
        for block in pipeline.blocks
    )
    return replace(pipeline, blocks=blocks), replace(part, running=running)


def is_cut(block: Block) -> bool:
    """Whether the block brings rows into the pipeline. The items of a dynamic one are no rows."""
    return block.type == "data_loader" and not block.is_dynamic


def cut(output: Any, rows: int) -> Any:
    """The first rows of a frame, a table or a list of rows; anything else as it is."""
    if values.is_frame(output):
        return output.head(rows)
    if hasattr(output, "num_rows") and hasattr(output, "slice"):  # Arrow
        return output.slice(0, rows)
    is_rows = isinstance(output, list) and all(isinstance(row, Mapping) for row in output)
    return output[:rows] if is_rows else output


def cut_stream(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """Batches up to so many rows. No further batch is asked for, and a generator is closed: nothing more is read."""
    left = rows
    try:
        for batch in batches:
            yield cut(batch, left)
            left -= len(batch) if values.is_frame(batch) else 0
            if left <= 0:
                return
    finally:
        if close := getattr(batches, "close", None):
            close()

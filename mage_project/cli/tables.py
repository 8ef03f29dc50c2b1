"""Plain text for people: aligned columns, rows with thousands, bytes and seconds with units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mage_project.runner.reasons import Reasons
    from mage_project.runner.records import BlockRecord, RunRecord

MARKS = {
    "completed": "✓",
    "failed": "✗",
    "cancelled": "-",
    "skipped": "·",
    "condition_failed": "·",
    "upstream_failed": "·",
    "pending": "·",
    "running": "…",
}


def aligned(header: Sequence[str], lines: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """The lines in columns under the header; the columns in `right` are aligned to the right."""
    table = [list(header), *[list(line) for line in lines]]
    widths = [max(len(line[place]) for line in table) for place in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    )


def count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


def size(size_bytes: int | None) -> str:
    return "" if size_bytes is None else f"{size_bytes / 1_000_000:,.0f} MB"


def run_table(run: RunRecord) -> str:
    """The blocks of a run, then what was dropped and why, then the tests."""
    lines = [
        (
            f"{MARKS[block.status]} {block.uuid}{_children(block)}",
            block.type,
            count(block.rows_in),
            count(block.rows_out),
            f"{block.seconds:.2f}",
            f"{block.cpu_seconds:.2f}",
            size(block.bytes_out),
            f"{size(block.peak_rss_bytes)}{' *' if block.beside else ''}",
        )
        for block in run.blocks
    ]
    heads = ("  block", "type", "rows in", "rows out", "seconds", "cpu s", "output", "peak memory")
    parts = [aligned(heads, lines, right=range(2, len(heads)))]
    if any(block.beside for block in run.blocks):
        parts[0] += "\n  * of the process, with the blocks that ran at the same time"
    parts[0] += "".join(
        f"\n  {size(block.spilled_bytes)} of {block.uuid} waited on disk" for block in run.blocks if block.spilled_bytes
    )
    parts += [text for block in run.blocks for text in (_dropped(block), _changed(block)) if text]
    parts += [text for block in run.blocks if (text := _tests(block))]
    return "\n\n".join(parts)


def _children(block: BlockRecord) -> str:
    """How often it ran, once for each item of a dynamic block, and how many of these runs failed."""
    if block.children is None:
        return ""
    failed = sum(child.status == "failed" for child in block.children)
    return f" ×{len(block.children)}" + (f", {failed} failed" if failed else "")


def _dropped(block: BlockRecord) -> str:
    """The reasons of a block's dropped rows, and what they leave unexplained."""
    reasons = _with_rows(block.dropped)
    unexplained = (block.rows_in or 0) - (block.rows_out or 0) - int(sum(of["rows"] for of in reasons.values()))
    if reasons and block.rows_out is not None and unexplained:
        reasons["(no reason given)"] = {"rows": unexplained}
    return f"dropped by {block.uuid}\n{_figures(reasons)}" if reasons else ""


def _changed(block: BlockRecord) -> str:
    reasons = _with_rows(block.changed)
    return f"changed by {block.uuid}\n{_figures(reasons)}" if reasons else ""


def _with_rows(reasons: Reasons) -> Reasons:
    return {reason: figures for reason, figures in reasons.items() if figures["rows"]}


def _figures(reasons: Reasons) -> str:
    """A line for each reason, most rows first; a header where more than rows was added up."""
    names = list(dict.fromkeys(name for figures in reasons.values() for name in figures))
    lines = [
        ("", *(_figure(figures.get(name)) for name in names), reason)
        for reason, figures in sorted(reasons.items(), key=lambda item: -item[1]["rows"])
    ]
    right = range(1, len(names) + 1)
    table = aligned(("", *names, "reason"), lines, right=right)
    return table if len(names) > 1 else aligned(lines[0], lines[1:], right=right)


def _figure(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,}" if isinstance(figure, int) else f"{figure:,.2f}"


def _tests(block: BlockRecord) -> str:
    ran = [test for test in block.tests if test.ran]
    if not ran:
        return ""
    lines = [f"  {'✓' if test.passed else '✗'} {test.name}{_said(test.message)}" for test in ran]
    return "\n".join([f"tests of {block.uuid}", *lines])


def _said(message: str | None) -> str:
    if not message:
        return ""
    first, *more = message.splitlines()
    return ": " + first if not more else "".join(f"\n      {line}" for line in (first, *more))

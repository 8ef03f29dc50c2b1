"""Plain text for people: aligned columns, rows with thousands, bytes and seconds with units."""

from __future__ import annotations

from collections.abc import Sequence

from mage_project.runner.records import BlockRecord, RunRecord

MARKS = {
    "completed": "✓",
    "failed": "✗",
    "cancelled": "-",
    "skipped": "·",
    "condition_failed": "·",
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
            f"{MARKS[block.status]} {block.uuid}{'' if block.children is None else f' ×{len(block.children)}'}",
            block.type,
            count(block.rows_in),
            count(block.rows_out),
            f"{block.seconds:.2f}",
            size(block.peak_rss_bytes),
        )
        for block in run.blocks
    ]
    parts = [aligned(("  block", "type", "rows in", "rows out", "seconds", "peak memory"), lines, right=(2, 3, 4, 5))]
    parts += [text for block in run.blocks if (text := _dropped(block))]
    parts += [text for block in run.blocks if (text := _tests(block))]
    return "\n\n".join(parts)


def _dropped(block: BlockRecord) -> str:
    """The reasons of a block's dropped rows, and what they leave unexplained."""
    reasons = {reason: rows for reason, rows in block.dropped.items() if rows}
    gone = (block.rows_in or 0) - (block.rows_out or 0)
    if reasons and gone > 0 and gone != sum(reasons.values()):
        reasons["(no reason given)"] = gone - sum(reasons.values())
    lines = [(count(rows), reason) for reason, rows in sorted(reasons.items(), key=lambda item: -item[1])]
    return f"dropped by {block.uuid}\n{_indented(lines)}" if lines else ""


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


def _indented(lines: Sequence[tuple[str, str]]) -> str:
    width = max(len(number) for number, _ in lines)
    return "\n".join(f"  {number.rjust(width)}  {reason}" for number, reason in lines)

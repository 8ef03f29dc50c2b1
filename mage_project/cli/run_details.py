"""One run of the history as text for people. Older versions have kept less of a run: what is not there is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mage_project.cli.runs import MARKS, moment, short_date
from mage_project.cli.tables import aligned, count, size

if TYPE_CHECKING:
    from mage_project.history.runs import RunDetails

Record = Mapping[str, Any]
#: Characters of a checksum that tell one file from another.
_SHORT = 12


def shown(found: RunDetails) -> str:
    """What is known of the run, its blocks, what it has read and written, what failed or was dropped, and its error."""
    every = list(_every(found.blocks))
    parts = [
        f"{MARKS.get(found.run.status, '·')} {found.run.run_id}",
        "\n".join(f"  {name:<15} {value}" for name, value in _facts(found) if value is not None),
        _blocks(found),
        _inputs(found.blocks),
        _written(found.blocks),
        *(_dropped(block) for block in found.blocks),
        _verdicts(every),
        found.run.error or "",
    ]
    return "\n\n".join(part for part in parts if part)


def _facts(found: RunDetails) -> list[tuple[str, Any]]:
    run = found.run
    return [
        ("pipeline", run.pipeline),
        ("status", run.status if run.exit_code in (None, 0) else f"{run.status} (exit code {run.exit_code})"),
        ("execution date", short_date(run.execution_date)),
        ("trigger", run.trigger),
        ("started by run", run.parent_run_id),
        ("backfill", run.backfill_id),
        ("started", f"{moment(run.started_at)} by {found.started_by or 'somebody'} on {found.host}"),
        ("ended", moment(run.ended_at)),
        ("time", None if run.seconds is None else f"{run.seconds:.2f} s"),
        ("peak memory", size(run.peak_rss_bytes) or None),
        ("commit", found.git_commit and f"{found.git_commit[:12]}{' and changes' if found.git_dirty else ''}"),
        *(("variable", f"{name}={value}") for name, value in sorted(found.variables.items())),
        *(("warning", line) for line in found.warnings),
        *(("started run", f"{child.run_id} of {child.pipeline}, {child.status}") for child in found.children),
    ]


def _every(blocks: Sequence[Record]) -> Iterator[Record]:
    """The blocks, and the runs of dynamic ones."""
    for block in blocks:
        yield block
        yield from block.get("children") or ()


def _blocks(found: RunDetails) -> str:
    lines = [
        (
            f"  {block['uuid']}",
            block["status"],
            count(block["rows_in"]),
            count(block["rows_out"]),
            size(block.get("bytes_in")),
            size(block.get("bytes_out")),
            f"{block['seconds']:.2f} s",
            found.run.code.get(block["uuid"], ""),
        )
        for block in found.blocks
    ]
    heads = ("  block", "status", "rows in", "rows out", "input", "output", "time", "code")
    return aligned(heads, lines, right=range(2, 7)) if lines else ""


def _inputs(blocks: Sequence[Record]) -> str:
    files = [file for block in blocks for file in block.get("files") or ()]
    lines = [
        (
            f"  {file.get('url') or file.get('path') or file.get('name') or ''}",
            _number(file.get("rows")),
            _number(file.get("size", file.get("size_bytes"))),
            str(file.get("etag") or ""),
            str(file.get("sha256") or "")[:_SHORT],
        )
        for file in files
    ]
    return aligned(("  read", "rows", "bytes", "etag", "sha256"), lines, right=(1, 2)) if lines else ""


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def _written(blocks: Sequence[Record]) -> str:
    """Rows of a block that has written to one place: of several nobody knows which got what."""
    lines = [
        (f"  {name}", block["uuid"], _rows_written(block) if len(block["written"]) == 1 else "")
        for block in blocks
        for name in block.get("written") or ()
    ]
    return aligned(("  written", "by", "rows"), lines, right=(2,)) if lines else ""


def _rows_written(block: Record) -> str:
    return count(block["rows_in"] if block.get("rows_written") is None else block["rows_written"])


def _dropped(block: Record) -> str:
    lines = [("", count(int(of["rows"])), reason) for reason, of in (block.get("dropped") or {}).items() if of["rows"]]
    return aligned((f"  dropped by {block['uuid']}", "rows", "reason"), lines, right=(1,)) if lines else ""


def _verdicts(blocks: Sequence[Record]) -> str:
    """How many tests and checks passed, and those that did not."""
    tests = [(block, test) for block in blocks if not block.get("children") for test in block.get("tests") or ()]
    checks = [(block, check) for block in blocks for check in block.get("checks") or ()]
    counted = [f"{sum(each['passed'] for _, each in found)} of {len(found)} {name} passed"
               for name, found in (("tests", tests), ("checks", checks)) if found]  # fmt: skip
    broken = [
        f"  {'!' if each.get('severity') == 'warn' else '✗'} {block['uuid']}: {each['name']}: {each['message'] or ''}"
        for block, each in (*tests, *checks)
        if not each["passed"]
    ]
    return "\n".join([f"  {', '.join(counted)}", *broken]) if counted else ""

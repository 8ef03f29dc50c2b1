"""What Postgres refuses, told with its address, the table, the column and the row."""

from __future__ import annotations

import re
from typing import Any

import psycopg2

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.io.connecting import Address, is_lost

#: Codes of Postgres for what passes by itself: deadlocks, serialization, too many connections, memory.
_PASSING = {"40001", "40P01", "53200", "53300", "55P03"}
_HINTS = {
    "53100": "make room on the server's disk; the table is as it was before",
    "42501": "ask the table's owner for the right, or connect as another user",
    "23505": "deduplicate first, or pass unique_conflict_method='UPDATE' or 'IGNORE'",
}
_LINE = re.compile(r"^LINE \d+: (.*)$", re.MULTILINE)
_COPIED = re.compile(r"COPY .*?, line (?P<row>\d+)(?:, column (?P<column>[^:\n]+))?", re.DOTALL)


def store_error(
    error: psycopg2.Error, connection: Any, address: Address, doing: str, *, shows_line: bool = False
) -> StoreError:
    """The error to raise for psycopg2's. `doing`: `writing mage.trips`. `shows_line`: the statement is the user's."""
    told = _told(error)
    if is_lost(connection, error):
        what = f"the connection to Postgres at {address} was lost while {doing}: {told}"
        return StoreUnavailable(what, hint="nothing was changed: run it again once the server is back")
    code = error.pgcode or ""
    what = f"Postgres at {address} refused while {doing}: {told}{_place(error)}{_line(error) if shows_line else ''}"
    if code in _PASSING:
        return StoreUnavailable(what, hint="nothing was changed: run it again")
    if code == "53100":
        what = f"the disk of Postgres at {address} is full, while {doing}: {told}"
    return StoreError(what, hint=_HINTS.get(code) or getattr(error.diag, "message_hint", None))


def _told(error: psycopg2.Error) -> str:
    primary = getattr(error.diag, "message_primary", None)
    if not primary:
        lines = str(error).strip().splitlines()
        return lines[0] if lines else type(error).__name__
    detail = getattr(error.diag, "message_detail", None)
    return f"{primary} ({detail})" if detail else str(primary)


def _line(error: psycopg2.Error) -> str:
    """The line of the statement that Postgres points at. (Its number counts from what was sent.)"""
    match = _LINE.search(error.pgerror or "")
    return f" [in the line: {match[1].strip()}]" if match else ""


def _place(error: psycopg2.Error) -> str:
    """Which column and row of a COPY it was."""
    context = getattr(error.diag, "context", None) or ""
    match = _COPIED.search(context)
    if not match:
        return ""
    column = f"column '{match['column']}', " if match["column"] else ""
    return f" [{column}row {int(match['row']):,}]"

"""What a store remembers of each month in it, and what follows from that when the month comes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taxi.month_frames import MonthFrames


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A month that a store holds: the file's sha256, the names of the columns, how many rows."""

    sha256: str
    columns: str
    rows: int

    def is_same(self, month: MonthFrames) -> bool:
        """Whether loading these trips would change nothing: the same file, with the same columns."""
        return (self.sha256, self.columns) == (month.file.sha256, listed_columns(month.columns))


def listed_columns(columns: Sequence[str]) -> str:
    """How a ledger writes the names of columns."""
    return ", ".join(columns)


def unchanged(place: str, month: MonthFrames, before: Loaded | None) -> str | None:
    """The line for a month that is loaded already; None where it has to be written."""
    if before is None or not before.is_same(month):
        return None
    return f"{place}: {month.file.month} is loaded already, unchanged ({before.rows:,} rows): nothing was written"


def written(place: str, month: MonthFrames, before: Loaded | None) -> str:
    """The line for a month that was written."""
    if before is None:
        return f"{place}: {month.file.month} loaded, {month.rows:,} rows"
    if before.sha256 != month.file.sha256:
        why = "was issued again"
    else:
        why = "was loaded again" if before.is_same(month) else "has other columns now"
    return f"{place}: {month.file.month} {why}, {month.rows:,} rows replace {before.rows:,}"

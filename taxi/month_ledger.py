"""What a store remembers of each month in it, and what follows from that when the month comes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taxi.month_frames import MonthFile, MonthFrames


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


def refuse_beside(place: str, month: MonthFile, there: MonthFile, variable: str) -> None:
    """Raise ValueError where `there`, a month in the table, is of another service: it would be replaced, or mixed.

    `variable` is that of the pipeline which names the table.
    """
    if there.service != month.service:
        raise ValueError(
            f"{place} holds {there}, and {month} is of another service, which needs a table of its own. Nothing was "
            f"changed: let the variable {variable} have {{service}} in it, or name another table there"
        )


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

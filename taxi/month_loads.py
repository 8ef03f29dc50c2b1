"""Loading months into a store, each exactly once; the stores differ, the steps do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import pandas as pd

from taxi.month_frames import MonthFrames, by_month


def at_once(*, commit: Callable[[], None], rollback: Callable[[], None], what: str) -> None:
    """Commit, where no other store is waited for, as in Mage. `commit_later` of the runner takes the same."""
    commit()


class Table(Protocol):
    """A table of months in a store. Both lines are for the reader of a run's output."""

    def unchanged(self, month: MonthFrames) -> str | None:
        """The line that says that the month is loaded, from this file; None where it has to be written."""

    def write(self, month: MonthFrames) -> None:
        """Write the trips beside the month that is there."""

    def replace(self, month: MonthFrames) -> str:
        """Make what was written the month. The line says what that did."""


def load_months(
    trips: pd.DataFrame | Iterable[pd.DataFrame], table_of: Callable[[str], Table], *, reload: bool = False
) -> Iterator[str]:
    """Load the months that the trips are of; what was done with each, in a line.

    `table_of` gives the table for a service. The months are put in place when the last trip has come, so that a
    stream that breaks changes nothing. `reload` has a month written that is loaded already.
    """
    waiting: list[tuple[Table, MonthFrames]] = []
    for month in by_month(trips):
        table = table_of(month.file.service)
        unchanged = table.unchanged(month)
        if unchanged and not reload:
            yield unchanged
        else:
            table.write(month)
            waiting.append((table, month))
    for table, month in waiting:
        # Another run may have loaded it meanwhile.
        unchanged = table.unchanged(month)
        yield unchanged if unchanged and not reload else table.replace(month)

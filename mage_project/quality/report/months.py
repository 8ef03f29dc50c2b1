"""Keeps the last two months of data apart, where it has a month key: a column with nothing but firsts of months."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pyarrow as pa

from mage_project.quality.report.gathering import Gathered, plain
from mage_project.quality.report.profile import Profile
from mage_project.quality.report.times import FIRST_DAY, LAST_DAY, day_name, days_of


class Months:
    """The rows of the last two months. It is fed a part of the data before the whole is.

    While there is one month only, it keeps nothing: the month is the whole.
    """

    def __init__(self, column: str | None) -> None:
        self.column = column
        self._first: str | None = None
        self._kept: dict[str, Gathered] = {}

    def add(self, part: pa.Table, whole: Gathered) -> None:
        """Take in the rows of a part. A key that is no first of a month shows that the column is none."""
        if self.column is None or self.column not in part.column_names:
            return
        keys = plain(part[self.column])
        if not is_month_key(keys):
            self.column, self._kept = None, {}
            return
        days = days_of(keys)
        months = {day_name(day): day for day in np.unique(days).tolist() if FIRST_DAY <= day <= LAST_DAY}
        if not self._kept and keys.null_count == 0 and set(months) <= {self._first or min(months)}:
            self._first = min(months)
            return
        if self._first is not None and not self._kept:
            self._kept[self._first] = copy.deepcopy(whole)
        for month, day in sorted(months.items()):
            self._add(month, part, days == day, whole.time_column)

    def finish(self) -> tuple[tuple[str, Profile], ...]:
        """The last two months, the latest last; nothing if there were not two."""
        months = sorted(self._kept.items())
        return tuple((month[:7], gathered.finish()) for month, gathered in months) if len(months) > 1 else ()

    def _add(self, month: str, part: pa.Table, rows: Any, time_column: str | None) -> None:
        if month not in self._kept:
            if len(self._kept) == 2 and month < min(self._kept):
                return
            self._kept[month] = Gathered(time_column)
        if len(self._kept) > 2:
            del self._kept[min(self._kept)]
        self._kept[month].add(part if rows.all() else part.filter(pa.array(rows)))


def is_month_key(keys: Any) -> bool:
    """Whether all that is not null in a column of dates is the first of a month."""
    days = days_of(keys.drop_null())
    inside = days[(days >= FIRST_DAY) & (days <= LAST_DAY)].astype("datetime64[D]")
    return bool(len(inside) == len(days) and (inside == inside.astype("datetime64[M]")).all())

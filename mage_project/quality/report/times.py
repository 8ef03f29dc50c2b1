"""What is gathered of a column of times or dates: rows a day, and an hour of the week."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mage_project.quality.report.profile import Kind, Times

#: Days that are counted one by one: fifty years and more.
_DAYS = 20_000
_SECONDS_A_DAY = 86_400
_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCH = datetime.date(1970, 1, 1)
#: What Python's calendar has: years 1 to 9999.
FIRST_DAY = (datetime.date.min - _EPOCH).days
LAST_DAY = (datetime.date.max - _EPOCH).days
_NO_DAY = np.iinfo(np.int64).min


def days_of(array: Any) -> Any:
    """The day of each time as days since 1970 (numpy), by the clock of its zone; a number far out for nulls."""
    ticks, per_day = _ticks(array)
    return np.where(array.is_null().to_numpy(zero_copy_only=False), _NO_DAY, ticks // per_day)


def day_name(day: int) -> str:
    """The day in ISO form."""
    return (_EPOCH + datetime.timedelta(days=day)).isoformat()


def _ticks(array: Any) -> tuple[Any, int]:
    """Integers since 1970, and how many of them make a day."""
    if pa.types.is_date32(array.type):
        return array.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), 1
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        array = pc.local_timestamp(array)
    unit = "ms" if pa.types.is_date64(array.type) else array.type.unit
    integers = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return integers, _SECONDS_A_DAY * _TICKS[unit]


class TimeGatherer:
    """Timestamps and dates."""

    kind: Kind = "time"

    def __init__(self, arrow: pa.DataType) -> None:
        self._has_hours = bool(pa.types.is_timestamp(arrow))
        self._days: dict[int, int] = {}
        self._hours = np.zeros(7 * 24, np.int64)
        self._elsewhere = self._beyond = 0
        self._first: datetime.datetime | None = None
        self._last: datetime.datetime | None = None

    def add(self, array: Any) -> None:
        ticks, per_day = _ticks(array)
        days = ticks // per_day
        inside = (days >= FIRST_DAY) & (days <= LAST_DAY)
        if not inside.all():
            self._beyond += int((~inside).sum())
            ticks, days = ticks[inside], days[inside]
        if not len(ticks):
            return
        self._add_days(days)
        first, last = (_moment(int(tick), per_day) for tick in (ticks.min(), ticks.max()))
        self._first = first if self._first is None else min(self._first, first)
        self._last = last if self._last is None else max(self._last, last)
        if self._has_hours:
            hours = (ticks - days * per_day) // (per_day // 24)
            weekdays = (days + 3) % 7  # the first of January 1970 was a Thursday
            self._hours += np.bincount(weekdays * 24 + hours, minlength=7 * 24)

    def _add_days(self, days: Any) -> None:
        for day, rows in zip(*(part.tolist() for part in np.unique(days, return_counts=True)), strict=True):
            if day in self._days or len(self._days) < _DAYS:
                self._days[day] = self._days.get(day, 0) + rows
            else:
                self._elsewhere += rows

    def finish(self) -> dict[str, Any]:
        odd = {"outside the years 1 to 9999": self._beyond} if self._beyond else {}
        if self._first is None or self._last is None:
            return {"odd": odd}
        times = Times(
            first=self._shown(self._first),
            last=self._shown(self._last),
            days={day_name(day): rows for day, rows in sorted(self._days.items())},
            hours=tuple(self._hours.tolist()) if self._has_hours else (),
            elsewhere=self._elsewhere,
        )
        return {"odd": odd, "times": times}

    def _shown(self, moment: datetime.datetime) -> str:
        return moment.isoformat(sep=" ", timespec="seconds") if self._has_hours else moment.date().isoformat()


def _moment(ticks: int, per_day: int) -> datetime.datetime:
    days, rest = divmod(ticks, per_day)
    midnight = datetime.datetime.combine(_EPOCH + datetime.timedelta(days=days), datetime.time())
    return midnight + datetime.timedelta(microseconds=rest * _SECONDS_A_DAY * 1_000_000 // per_day)

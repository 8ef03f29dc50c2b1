"""The span of days in which data mainly lies, and the days outside of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

#: The busiest days that together have so many of the rows say what a usual day is; a day with less than
#: `_FEW` of that is none of the main span's ends.
_MOST = 0.9
_FEW = 0.05
#: More days than this are drawn as weeks, and more weeks as months.
_DRAWN = 190


@dataclass(frozen=True, kw_only=True)
class Span:
    """From `first` to `last`, with the rows of each `step` ("day", "week", "month") between them, zeros included."""

    first: str
    last: str
    step: str
    rows: Mapping[str, int]
    outside: Mapping[str, int]

    def weekdays(self) -> list[int]:
        """How many Mondays, Tuesdays and so on it has."""
        first, last = datetime.date.fromisoformat(self.first), datetime.date.fromisoformat(self.last)
        weeks, more = divmod((last - first).days + 1, 7)
        return [weeks + ((weekday - first.weekday()) % 7 < more) for weekday in range(7)]

    @property
    def empty(self) -> list[str]:
        """The steps without a row."""
        return [start for start, rows in self.rows.items() if not rows]


def span(days: Mapping[str, int]) -> Span:
    """The main span of rows by day (ISO), of which there is at least one."""
    few = _FEW * _usual(sorted(days.values(), reverse=True))
    inside = [day for day, rows in days.items() if rows >= few]
    first, last = min(inside), max(inside)
    length = (datetime.date.fromisoformat(last) - datetime.date.fromisoformat(first)).days + 1
    step = "day" if length <= _DRAWN else "week" if length <= 7 * _DRAWN else "month"
    return Span(
        first=first,
        last=last,
        step=step,
        rows=by_step(days, first, last, step),
        outside={day: rows for day, rows in days.items() if not first <= day <= last},
    )


def by_step(days: Mapping[str, int], first: str, last: str, step: str) -> dict[str, int]:
    """The rows between two days, summed by the first day of each step."""
    start, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    rows: dict[str, int] = {}
    for offset in range((end - start).days + 1):
        day = start + datetime.timedelta(days=offset)
        key = _start(day, step).isoformat()
        rows[key] = rows.get(key, 0) + days.get(day.isoformat(), 0)
    return rows


def _usual(descending: list[int]) -> float:
    """The mean of the busiest days that together have most of the rows."""
    most, reached = _MOST * sum(descending), 0
    for number, rows in enumerate(descending, start=1):
        reached += rows
        if reached >= most:
            return reached / number
    return 0.0


def _start(day: datetime.date, step: str) -> datetime.date:
    if step == "month":
        return day.replace(day=1)
    if step == "day":
        return day
    return max(day - datetime.timedelta(days=day.weekday()), datetime.date.min + datetime.timedelta(days=7))

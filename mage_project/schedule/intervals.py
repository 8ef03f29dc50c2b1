"""The intervals of a backfill: months, days, hours, or what a trigger's schedule makes. Moments are naive UTC."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mage_project.errors import UsageError, did_you_mean

#: More than this is a slip of the hand.
MOST = 100_000
_LENGTHS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
UNITS = (*_LENGTHS, *_MONTHS)
#: Mage's words in triggers.yaml. `@once` and `@always_on` have no interval.
_PRESETS = {"@hourly": "hour", "@daily": "day", "@weekly": "week", "@monthly": "month", "@yearly": "year"}
_PRESETS |= {"@midnight": "day", "@annually": "year"}
_PERIODS = (
    (re.compile(r"\d{4}"), "%Y", "year"),
    (re.compile(r"\d{4}-\d{2}"), "%Y-%m", "month"),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "%Y-%m-%d", "day"),
)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """From `start` to just before `end`. `previous`: where the one before it begins."""

    start: datetime
    end: datetime
    previous: datetime

    @property
    def seconds(self) -> float:
        """A whole number as one, as Mage gives those of a day or an hour."""
        seconds = (self.end - self.start).total_seconds()
        return int(seconds) if seconds.is_integer() else seconds

    @property
    def name(self) -> str:
        """As short as it is clear: `2019-01`, `2019-01-31`, `2019-01-31T05:00`."""
        whole_day = (self.start.hour, self.start.minute, self.start.second) == (0, 0, 0)
        if whole_day and self.start.day == 1 and self.end - self.start >= timedelta(days=28):
            return f"{self.start:%Y-%m}"
        if whole_day:
            return f"{self.start:%Y-%m-%d}"
        return f"{self.start:%Y-%m-%dT%H:%M:%S}" if self.start.second else f"{self.start:%Y-%m-%dT%H:%M}"


class Steps(Protocol):
    """Where intervals begin, one after the other: `place` 0 is the first one, -1 is before it."""

    def begin(self, place: int) -> datetime: ...


@dataclass(frozen=True, kw_only=True)
class CalendarSteps:
    """Every `count` units from `first` on. Months are counted from there: the 31st comes back after February."""

    first: datetime
    unit: str
    count: int = 1

    def begin(self, place: int) -> datetime:
        if self.unit in _LENGTHS:
            return self.first + _LENGTHS[self.unit] * self.count * place
        return _months_later(self.first, _MONTHS[self.unit] * self.count * place)


class CronSteps:
    """The moments of a cron expression from `first` on."""

    def __init__(self, expression: str, first: datetime) -> None:
        from croniter import croniter

        if not croniter.is_valid(expression):
            raise UsageError(f"'{expression}' is not a cron expression", hint="--interval month, or day, or hour")
        self._forward = croniter(expression, first - timedelta(microseconds=1))
        self._before: datetime = croniter(expression, first).get_prev(datetime)
        self._known: list[datetime] = []

    def begin(self, place: int) -> datetime:
        if place < 0:
            return self._before
        while len(self._known) <= place:
            self._known.append(self._forward.get_next(datetime))
        return self._known[place]


def intervals(steps: Steps, end: datetime) -> list[Interval]:
    """Those that begin before `end`."""
    found: list[Interval] = []
    try:
        for place in range(MOST + 1):
            if (start := steps.begin(place)) >= end:
                return found
            found.append(Interval(start=start, end=steps.begin(place + 1), previous=steps.begin(place - 1)))
    except (ValueError, OverflowError) as error:
        what = "an interval, or the one before it, is not within the years 1 to 9999"
        raise UsageError(what, hint="choose a shorter --interval, or another --start or --end") from error
    raise UsageError(f"more than {MOST:,} intervals", hint="choose a longer --interval, or a nearer --end")


def period(text: str, option: str) -> tuple[datetime, datetime, str]:
    """The period that a date names: its start, the start of what follows it, and `year`, `month`, `day` or `moment`."""
    try:
        start, unit = _begin(text)
    except ValueError as error:
        raise UsageError(
            f"{option} is not a date: '{text}'", hint=f"write {option} 2019-01, 2019-01-31 or 2019-01-31T05:00"
        ) from error
    if start.tzinfo:
        raise UsageError(f"{option} is in UTC, without a zone: '{text}'", hint=f"write {option} {start:%Y-%m-%dT%H:%M}")
    try:
        end = CalendarSteps(first=start, unit=unit).begin(1) if unit != "moment" else start + timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        what = f"{option} is out of range: what follows '{text}' is not within the years 1 to 9999"
        raise UsageError(what, hint="name an earlier one") from error
    return start, end, unit


def _begin(text: str) -> tuple[datetime, str]:
    """The moment at which a date begins, and how it is written. `ValueError` for none."""
    for pattern, layout, unit in _PERIODS:
        if pattern.fullmatch(text):
            return datetime.strptime(text, layout), unit
    return datetime.fromisoformat(text), "moment"


def steps(interval: str, first: datetime) -> Steps:
    """What `--interval`, or a trigger's `schedule_interval`, means: `month`, `6 hours`, `@daily`, a cron expression."""
    text = _PRESETS.get(interval, interval).strip()
    if match := re.fullmatch(r"(?:(\d{1,9}) ?)?([a-z]+?)s?", text):
        count, unit = int(match[1] or 1), match[2]
        if unit in UNITS and count:
            return CalendarSteps(first=first, unit=unit, count=count)
        raise UsageError(f"there is no interval '{interval}'.{did_you_mean(unit, UNITS)}", hint=_HINT)
    if len(text.split()) >= 5:
        return CronSteps(text, first)
    raise UsageError(f"there is no interval '{interval}'", hint=_HINT)


_HINT = f"--interval takes {', '.join(UNITS)}, a number of them (6 hours), or a cron expression"


def _months_later(moment: datetime, months: int) -> datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    last = calendar.monthrange(moment.year + years, month + 1)[1]
    return moment.replace(year=moment.year + years, month=month + 1, day=min(moment.day, last))

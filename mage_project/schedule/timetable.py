"""When a schedule is due: a cron expression by the clock on the wall of a time zone. Pure: it asks no clock.

On the day on which the clock is put forward, what is due in the hour that does not exist is due as much later (02:30
is 03:30); on the day on which it is put back, what is due in the hour that comes twice is due the first time. What is
due every hour, or every few minutes, goes by time that passes: nothing is due in the missing hour, and the double one
counts twice. So does cron itself (https://man7.org/linux/man-pages/man8/cron.8.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mage_project.errors import ConfigError, did_you_mean
from mage_project.project import Trigger
from mage_project.schedule import landing

#: Mage's words, whose weeks begin on Monday, and those that it takes because croniter knows them.
PRESETS = {
    **{"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 1", "@monthly": "0 0 1 * *"},
    **{"@midnight": "0 0 * * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"},
}
#: Words without a timetable: due once, and due whenever the last run has ended.
ONCE, ALWAYS_ON = "@once", "@always_on"
#: More than a clock on a wall is ever put forward or back.
_SHIFT = timedelta(hours=3)
#: What is not due in the years after it never is.
_ANY = datetime(2000, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
#: What croniter draws by lot, each time anew.
_BY_LOT = re.compile(r"(?:^|[\s,])[RrHh](?=$|[\s,(/])")


class Timetable:
    """The moments of a cron expression in a zone. Moments given and got are in UTC, with the zone."""

    def __init__(self, expression: str, zone: ZoneInfo) -> None:
        self._expression = expression
        self._zone = zone
        self._by_time_that_passes = expression.split()[1].startswith("*")

    def after(self, moment: datetime) -> Iterator[datetime]:
        """What is due after the moment, in order; for ever, or until croniter's last year."""
        wall = self._wall(moment)
        walk = self._walk(wall - (_SECOND if self._is_plain(wall) else _SHIFT), "get_next")
        return (each for each in self._in_order(walk) if each > moment)

    def until(self, moment: datetime) -> Iterator[datetime]:
        """What was due until the moment, itself included, the newest first."""
        wall = self._wall(moment)
        walk = self._walk(wall + (_SECOND if self._is_plain(wall) else _SHIFT), "get_prev")
        return (each for each in self._in_order(walk, reverse=True) if each <= moment)

    def _walk(self, wall: datetime, step: str) -> Iterator[datetime]:
        """The moments on the wall, without a zone."""
        from croniter import CroniterBadDateError, croniter

        cron = croniter(self._expression, wall)
        try:
            yield from iter(partial(getattr(cron, step), datetime), None)
        except (CroniterBadDateError, OverflowError):  # 31 February; the year 9999
            return

    def _in_order(self, walk: Iterator[datetime], *, reverse: bool = False) -> Iterator[datetime]:
        """The moments of the walk. Those around a change of the clock are gathered first: the wall mixes them."""
        gathered: set[datetime] = set()
        for local in walk:
            if self._is_plain(local):
                yield from sorted(gathered, reverse=reverse)
                gathered.clear()
                yield self._first(local)
            else:
                gathered.update(self._instants(local))
        yield from sorted(gathered, reverse=reverse)

    def _is_plain(self, local: datetime) -> bool:
        """Whether no change of the clock is near."""
        around = {(local + shift).replace(tzinfo=self._zone).utcoffset() for shift in (-_SHIFT, _SHIFT)}
        return len(around) == 1

    def _instants(self, local: datetime) -> list[datetime]:
        """The moments at which the wall's clock shows it, or, in a missing hour, would."""
        first, second = self._first(local), local.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        if not self._by_time_that_passes:
            return [first]
        exists = self._wall(first) == local
        return sorted({first, second}) if exists else []

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone).replace(tzinfo=None)

    def _first(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self._zone, fold=0).astimezone(UTC)


def timetable(trigger: Trigger) -> Timetable | None:
    """The trigger's timetable; None for `@once` and `@always_on`. `ConfigError` with file and line for what is none."""
    interval = (trigger.schedule_interval or "").strip()
    zone = zone_of(trigger)
    if interval in (ONCE, ALWAYS_ON):
        return None
    expression = landing.expression(trigger, zone) if landing.lands(trigger) else PRESETS.get(interval, interval)
    if not _is_cron(expression):
        words = (*PRESETS, ONCE, ALWAYS_ON)
        raise ConfigError(
            f"trigger '{trigger.name}' has no schedule_interval that can be understood: '{interval}'."
            f"{did_you_mean(interval, words)}",
            where=place(trigger),
            hint=f"one of {', '.join(words)}, or a cron expression: '0 5 * * *' is daily at five",
        )
    table = Timetable(expression, zone)
    if next(table.after(_ANY), None) is None:
        what = f"trigger '{trigger.name}' is never due: no day is as its schedule_interval says: '{interval}'"
        raise ConfigError(what, where=place(trigger), hint="the day of a month, then the month: '0 0 28 2 *'")
    return table


def zone_of(trigger: Trigger) -> ZoneInfo:
    """The zone of the trigger's schedule, UTC if it names none."""
    try:
        return ZoneInfo(trigger.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        from zoneinfo import available_timezones

        known = available_timezones()
        raise ConfigError(
            f"trigger '{trigger.name}' names a time zone that is not known here: '{trigger.timezone}'."
            f"{did_you_mean(trigger.timezone or '', known)}",
            where=place(trigger),
            hint="a name such as America/New_York" if known else "this machine has no time zones: pip install tzdata",
        ) from error


def place(trigger: Trigger) -> str:
    return f"{trigger.path}:{trigger.line}"


def _is_cron(expression: str) -> bool:
    from croniter import croniter

    return len(expression.split()) in (5, 6) and not _BY_LOT.search(expression) and croniter.is_valid(expression)

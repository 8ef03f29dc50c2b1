"""What is due: a pure function of the trigger, the moment up to which it is dealt with, and now. No clock, no store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from mage_project.project import Trigger
from mage_project.schedule.timetable import ONCE, Timetable

#: As late as this a run is still on time: a scheduler that stands by has taken over by then.
GRACE = timedelta(seconds=60)
#: Of more than this that were missed only the last ones are counted, and made up for.
MOST = 10_000
#: A clock that was further ahead than this, and has been put right, must not keep a trigger waiting.
AHEAD = timedelta(days=1)
#: `@always_on` begins again after this, as Mage's scheduler, which looks every ten seconds.
_PAUSE = timedelta(seconds=10)
#: Most triggers' runs begin when they are due.
NO_LEAD = timedelta()


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Due runs that are not done, and why: `count` of them, from the first to the last."""

    first: datetime
    last: datetime
    count: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is to be run, in order, and what is skipped. The trigger is dealt with up to `handled`."""

    handled: datetime | None
    runs: tuple[datetime, ...] = ()
    skipped: tuple[Skipped, ...] = field(default=())


def begin(trigger: Trigger, table: Timetable | None, now: datetime) -> datetime | None:
    """The moment up to which a trigger counts as dealt with that has not been seen before.

    What was due before that is nobody's loss, but: `catch_up: all` goes back to `start_time`; a `last_enabled_at` that
    Mage has written counts as it does in Mage; and `create_initial_pipeline_run` makes the last due run up.
    """
    if table is None:
        return None
    if trigger.catch_up == "all" and trigger.start_time:
        return min(trigger.start_time - timedelta(microseconds=1), now)
    if trigger.settings.create_initial_pipeline_run:
        last = next(table.until(now), None)
        return last - timedelta(microseconds=1) if last else now
    return min(trigger.last_enabled_at or now, now)


def due(
    trigger: Trigger,
    table: Timetable | None,
    handled: datetime | None,
    now: datetime,
    busy: str | None,
    lead: timedelta = NO_LEAD,
) -> Due:
    """What is due now. `busy`: the run of this trigger that has not ended yet.

    `lead`: how long before its moment a run is begun. It changes with what runs take; missed is what `now` is past.
    """
    until = now + lead
    if trigger.start_time and until < trigger.start_time:
        return Due(handled=handled)
    if table is None:
        return _at_any_time(trigger, handled, now, busy)
    if handled is None or handled > until + AHEAD:
        return Due(handled=until)
    since = max(handled, trigger.start_time - timedelta(microseconds=1)) if trigger.start_time else handled
    found = list(_last(table, since, until))
    if not found:
        return Due(handled=handled)
    runs, skipped = _chosen(trigger, found, now)
    if busy and trigger.settings.skip_if_previous_running:
        on_time = [moment for moment in runs if now - moment <= GRACE]
        skipped += [_skip([moment], f"the previous run, {busy}, has not ended") for moment in on_time]
        runs = [moment for moment in runs if moment not in on_time]
    return Due(handled=found[-1], runs=tuple(runs), skipped=tuple(skipped))


def upcoming(trigger: Trigger, table: Timetable | None, handled: datetime | None, now: datetime) -> Iterator[datetime]:
    """When the trigger will be due, as far as the calendar can say."""
    first = max(now, trigger.start_time) if trigger.start_time else now
    if table is not None:
        yield from table.after(first - timedelta(microseconds=1) if first > now else now)
    elif handled is None or trigger.schedule_interval != ONCE:
        yield first


def _at_any_time(trigger: Trigger, handled: datetime | None, now: datetime, busy: str | None) -> Due:
    """`@once`: when it is first seen. `@always_on`: whenever its last run has ended, a little later."""
    once = trigger.schedule_interval == ONCE
    if (handled is not None and (once or abs(now - handled) < _PAUSE)) or (busy and not once):
        return Due(handled=handled)
    moment = now.replace(microsecond=0)
    return Due(handled=moment, runs=(moment,))


def _last(table: Timetable, since: datetime, now: datetime) -> list[datetime]:
    """What was due after `since`, in order; the last ones where that is more than one can want to know."""
    found = []
    for moment in takewhile(lambda moment: moment > since, table.until(now)):
        found.append(moment)
        if len(found) == MOST:
            break
    return found[::-1]


def _chosen(trigger: Trigger, found: list[datetime], now: datetime) -> tuple[list[datetime], list[Skipped]]:
    """What runs of what was due: what is on time, and of what was missed as much as `catch_up` says."""
    on_time = [moment for moment in found if now - moment <= GRACE]
    missed = [moment for moment in found if now - moment > GRACE]
    made_up = {"none": [], "all": missed, "last": [] if on_time else missed[-1:]}[trigger.catch_up]
    left = missed[: len(missed) - len(made_up)]
    reason = f"no scheduler was there; catch_up: {trigger.catch_up}"
    return [*made_up, *on_time], [_skip(left, reason)] if left else []


def _skip(moments: list[datetime], reason: str) -> Skipped:
    return Skipped(first=moments[0], last=moments[-1], count=len(moments), reason=reason)

"""Landing times: `settings.landing_time_enabled` of a trigger, by which its `start_time` says when runs should be done.

As in Mage it counts with @hourly, @daily, @weekly and @monthly: the minute, the time, the weekday or the day of
`start_time` is when each run should have ended, and it is begun earlier by what the last ones took.
"""

from __future__ import annotations

import math
from datetime import timedelta
from zoneinfo import ZoneInfo

from mage_project.history.runs import newest
from mage_project.history.stores import Store
from mage_project.project import Trigger
from mage_project.project.trigger_settings import LANDING

#: How many runs the expected time comes from, as in Mage, and among how many of the pipeline's they are looked for.
_RUNS, _AMONG = 7, 100
#: Days that not every month has stand for its last one.
_LAST_DAY = 28


def lands(trigger: Trigger) -> bool:
    """Whether its times are those at which runs should have ended."""
    is_preset = trigger.schedule_interval in LANDING and trigger.schedule_type == "time"
    return trigger.settings.landing_time_enabled and is_preset and trigger.start_time is not None


def expression(trigger: Trigger, zone: ZoneInfo) -> str:
    """The cron expression of the times at which runs of such a trigger should have ended."""
    assert trigger.start_time is not None  # noqa: S101 - such a trigger has one
    wall = trigger.start_time.astimezone(zone)
    day = "L" if wall.day > _LAST_DAY else str(wall.day)
    return {
        "@hourly": f"{wall.minute} * * * *",
        "@daily": f"{wall.minute} {wall.hour} * * *",
        "@weekly": f"{wall.minute} {wall.hour} * * {wall.isoweekday() % 7}",
        "@monthly": f"{wall.minute} {wall.hour} {day} * *",
    }[str(trigger.schedule_interval)]


def lead(store: Store, pipeline: str, trigger: Trigger) -> timedelta:
    """How much earlier a run is begun: the mean of the last ones and half their deviation; nothing for the first."""
    if not lands(trigger):
        return timedelta()
    import statistics  # few triggers land

    runs = newest(store, pipeline=pipeline, limit=_AMONG)
    took = [run.seconds for run in runs if run.trigger == trigger.name and run.status == "completed" and run.seconds]
    if not (took := took[:_RUNS]):
        return timedelta()
    spread = math.ceil(statistics.stdev(took) / 2) if len(took) > 1 else 0
    return timedelta(seconds=math.ceil(statistics.mean(took)) + spread)

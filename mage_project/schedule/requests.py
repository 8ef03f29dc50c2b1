"""What a backfill is asked for, and the plan that comes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from mage_project.errors import UsageError
from mage_project.history import backfills
from mage_project.history.facts import code_hashes, variables_key
from mage_project.history.runs import of_dates
from mage_project.history.starters import new_run_id
from mage_project.history.stores import Store
from mage_project.project import Pipeline, Trigger
from mage_project.runner.variables import plain
from mage_project.schedule.intervals import intervals, period, steps
from mage_project.schedule.planning import Planned, Reprocess, Wish, plan

#: Intervals of triggers that say nothing about which dates there are.
_NO_INTERVAL = ("@once", "@always_on")
#: The interval that fits a start that is written as a year, a month, a day or a moment.
_FITTING = {"year": "month", "month": "month", "day": "day", "moment": "hour"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A backfill as it was asked for. Without an `end` it goes up to now; `interval` and `start` are words."""

    start: str
    end: str | None = None
    interval: str | None = None
    reprocess: Reprocess = "missing"
    reverse: bool = False


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A plan and what belongs to it. `resumed`: whether it goes on with a backfill that was interrupted.

    `source` says where the interval is from.
    """

    backfill_id: str
    plan: Sequence[Planned]
    interval: str
    source: str
    variables_key: str
    request_key: str
    resumed: bool


def prepare(pipeline: Pipeline, request: Request, given: Mapping[str, Any], store: Store, now: datetime) -> Prepared:
    """The plan for the request; `given` are the variables from the command line. `UsageError` for odd dates."""
    first, _, written_as = period(request.start, "--start")
    end = period(request.end, "--end")[1] if request.end else now
    interval, source = _interval(pipeline, request, written_as)
    try:
        found = intervals(steps(interval, first), end)
    except UsageError as error:
        error.where = source if source.startswith("trigger") else None
        raise
    if not found:
        raise UsageError(f"there is nothing from {request.start} to {request.end or 'now'}", hint="--start, --end")
    key = variables_key({**plain(pipeline.variables), **given})
    request_key = _key(
        {**asdict(replace(request, reverse=False)), "pipeline": pipeline.uuid, "interval": interval, "variables": key}
    )
    resumed = backfills.unfinished(store, request_key)
    files = {block.uuid: block.path for block in pipeline.blocks if block.runs and block.path}
    wish = Wish(variables_key=key, code=code_hashes(files), reprocess=request.reprocess, resumed=resumed)
    runs = of_dates(store, pipeline.uuid, found[0].start, found[-1].start)
    planned = plan(found, runs, wish, now)
    return Prepared(
        backfill_id=resumed or new_run_id(),
        plan=planned[::-1] if request.reverse else planned,
        interval=interval,
        source=source,
        variables_key=key,
        request_key=request_key,
        resumed=resumed is not None,
    )


def _interval(pipeline: Pipeline, request: Request, written_as: str) -> tuple[str, str]:
    """The interval, and where it is from."""
    if request.interval:
        return request.interval, "--interval"
    if trigger := _scheduled(pipeline.triggers):
        return str(trigger.schedule_interval), f"trigger {trigger.name}"
    return _FITTING[written_as], "as --start is written"


def _scheduled(triggers: Sequence[Trigger]) -> Trigger | None:
    """The trigger whose interval is meant: an active one before others."""
    fit = [trigger for trigger in triggers if trigger.schedule_type == "time" and trigger.schedule_interval]
    fit = [trigger for trigger in fit if trigger.schedule_interval not in _NO_INTERVAL]
    return min(fit, key=lambda trigger: trigger.status != "active", default=None)


def _key(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

"""Starts the run of a trigger, as a child of the scheduler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from mage_project.project import Trigger
from mage_project.runner.variables import plain
from mage_project.schedule.catalogue import Entry
from mage_project.schedule.children import Child, Command, own_environment
from mage_project.schedule.intervals import Interval


def launch(root: Path, entry: Entry, moment: datetime, *, local: bool) -> Child:
    """The run that was due at `moment` (UTC, with the zone)."""
    logs = root / ".mage_project" / "schedules" / entry.pipeline / quote(entry.trigger.name, safe=" ")
    logs.mkdir(parents=True, exist_ok=True)
    command = Command(
        pipeline=entry.pipeline,
        root=root,
        words=[*(["--local"] if local else []), *words_of(entry.trigger)],
        # Mage gives `env: prod` to every run that a trigger starts, whatever its own environment is.
        environment={"ENV": "prod", **own_environment()},
        trigger=entry.trigger.name,
        logs=logs,
    )
    return Child(command, interval_of(entry, moment))


def interval_of(entry: Entry, moment: datetime) -> Interval:
    """As in Mage: from the moment at which it is due to the next one. Without a timetable it is empty."""
    start = moment.astimezone(UTC).replace(tzinfo=None)
    if entry.table is None:
        return Interval(start=start, end=start, previous=start)
    following = next(entry.table.after(moment), moment)
    before = next((each for each in entry.table.until(moment) if each < moment), moment)
    end, previous = (each.astimezone(UTC).replace(tzinfo=None) for each in (following, before))
    return Interval(start=start, end=end, previous=previous)


def words_of(trigger: Trigger) -> list[str]:
    """What the trigger says of its runs, for the command line: its variables and its settings."""
    settings = trigger.settings
    timeout = ["--timeout", f"{settings.timeout_s:g}"] if settings.timeout_s else []
    may_fail = ["--allow-blocks-to-fail"] if settings.allow_blocks_to_fail else []
    return [*timeout, *may_fail, *_variable_words(trigger)]


def _variable_words(trigger: Trigger) -> list[str]:
    """The trigger's variables for the command line. JSON is YAML: text stays text, lists stay lists."""
    variables: Mapping[str, object] = plain(trigger.variables)
    return [word for name, value in variables.items() for word in ("--var", f"{name}={json.dumps(value, default=str)}")]

"""Starts the run of a trigger, as a child of the scheduler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from mage_project.history import private, starters
from mage_project.history.occasions import Occasion
from mage_project.history.schedules import DueRun
from mage_project.project import Trigger
from mage_project.runner.variables import plain
from mage_project.schedule.catalogue import Entry
from mage_project.schedule.children import Child, Command
from mage_project.schedule.intervals import Interval


def launch(root: Path, entry: Entry, run: DueRun, occasion: Occasion | None, *, local: bool) -> Child:
    """The run that was due, by its timetable or on an occasion."""
    logs = root / ".mage_project" / "schedules" / entry.pipeline / quote(entry.trigger.name, safe=" ")
    private.folder(logs)
    names = _names(run, occasion)
    command = Command(
        pipeline=entry.pipeline,
        root=root,
        words=[*(["--local"] if local else []), *settings_of(entry.trigger)],
        variables={**plain(entry.trigger.variables), **(occasion.variables if occasion else {})},
        environment={**starters.own_environment(), "ENV": starters.env_of_trigger(), **names},
        trigger=entry.trigger.name,
        logs=logs,
        name=names[starters.RUN],
    )
    return Child(command, _interval(entry, run, occasion))


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
    """What the trigger says of its runs, for the command line: its settings and its variables.

    JSON is YAML: text stays text, lists stay lists.
    """
    variables: Mapping[str, object] = plain(trigger.variables)
    given = [
        word for name, value in variables.items() for word in ("--var", f"{name}={json.dumps(value, default=str)}")
    ]
    return [*settings_of(trigger), *given]


def settings_of(trigger: Trigger) -> list[str]:
    """What its settings are on the command line."""
    timeout = ["--timeout", f"{trigger.settings.timeout_s:g}"] if trigger.settings.timeout_s else []
    return [*timeout, *(["--allow-blocks-to-fail"] if trigger.settings.allow_blocks_to_fail else [])]


def _names(run: DueRun, occasion: Occasion | None) -> dict[str, str]:
    """By what the history will know the run, and what has led to it."""
    names = {starters.RUN: run.run_id or starters.new_run_id()}
    if occasion and occasion.parent_run_id:
        names[starters.PARENT] = occasion.parent_run_id
    if occasion and occasion.line:
        names[starters.LINE] = json.dumps(list(occasion.line))
    return names


def _interval(entry: Entry, run: DueRun, occasion: Occasion | None) -> Interval:
    if occasion and occasion.execution_date:
        moment = datetime.fromisoformat(occasion.execution_date)
        return Interval(start=moment, end=moment, previous=moment)
    return interval_of(entry, datetime.fromtimestamp(run.due_at, UTC))

"""Puts down what was seen: each thing once, with the run that it makes due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mage_project.errors import MageProjectError
from mage_project.history import occasions, schedules
from mage_project.history.occasions import Occasion
from mage_project.history.schedules import DueRun, TriggerState
from mage_project.history.stores import Store, Transaction
from mage_project.project import Pipeline, Project, Trigger
from mage_project.runner.variables import plain
from mage_project.schedule.asking import with_event
from mage_project.schedule.catalogue import Entry
from mage_project.schedule.watch.addresses import filled
from mage_project.schedule.watch.lookout import Look
from mage_project.schedule.watch.sightings import Sighting


def note(
    store: Store, transaction: Transaction, root: Path, look: Look, seen: Sequence[Sighting], now: datetime
) -> list[DueRun]:
    """Put down what a look has `seen` that is new. Returns what of it is skipped.

    When a trigger is new, or watches something else, `catch_up` says which of what is there already is made up for:
    then the look must have been able to look everywhere.
    """
    entry = look.entry
    state = schedules.states(transaction).get(entry.key)
    is_new = state is None or state.schedule != entry.schedule
    if is_new and look.troubles:
        return []
    known = state or TriggerState(pipeline=entry.pipeline, trigger_name=entry.trigger.name, schedule=entry.schedule)
    schedules.put_state(transaction, replace(known, schedule=entry.schedule, handled_at=now.timestamp()))
    in_order = sorted(seen, key=lambda sighting: sighting.order)
    if known.paused_at is not None:
        chosen, reason = [], "the trigger is paused"
    elif is_new:
        chosen = {"none": [], "last": in_order[-1:], "all": in_order}[entry.trigger.catch_up]
        reason = f"it was there before the trigger; catch_up: {entry.trigger.catch_up}"
    else:
        chosen, reason = in_order, ""
    pipeline = _pipeline(root, entry.pipeline) if chosen else None
    for sighting in chosen:
        occasions.put(store, transaction, _occasion(entry, sighting, pipeline))
    left = [_occasion(entry, sighting, None) for sighting in in_order if sighting not in chosen]
    skipped = occasions.put_seen(store, transaction, left, reason)
    return [skipped] if skipped else []


def _occasion(entry: Entry, sighting: Sighting, pipeline: Pipeline | None) -> Occasion:
    event = {"trigger": entry.trigger.name, **sighting.event()}
    return Occasion(
        pipeline=entry.pipeline,
        trigger_name=entry.trigger.name,
        kind="event",
        key=sighting.key,
        variables=with_event(_filled(entry.trigger, event), event, pipeline, entry.trigger),
    )


def _filled(trigger: Trigger, event: dict[str, Any]) -> dict[str, Any]:
    """The trigger's variables that name something of the event: `{month}`, `{address}`."""
    names = {name: str(value) for name, value in event.items() if value is not None}
    variables: dict[str, Any] = plain(trigger.variables)
    return {name: after for name, value in variables.items() if (after := _in(value, names)) != value}


def _in(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return filled(value, names)
    if isinstance(value, dict):
        return {name: _in(inner, names) for name, inner in value.items()}
    return [_in(inner, names) for inner in value] if isinstance(value, list) else value


def _pipeline(root: Path, uuid: str) -> Pipeline | None:
    """None for one with mistakes: its run says which."""
    try:
        return Project(root).pipeline(uuid)
    except MageProjectError:
        return None

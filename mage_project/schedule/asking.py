"""Runs that somebody asks for: what a request becomes before it is put into the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mage_project.errors import UsageError
from mage_project.history.facts import moment_text
from mage_project.history.occasions import Occasion
from mage_project.project import Pipeline, Trigger

#: The trigger of runs that name none.
NAME = "api"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request for a run. `event` is what came with it besides `variables`; of the same `key` there is one run."""

    variables: Mapping[str, Any] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)
    execution_date: str | None = None
    key: str | None = None


def occasion_of(asked: Asked, pipeline: Pipeline, trigger: Trigger | None, *, kind: str) -> Occasion:
    """The occasion, of that trigger or of none. `UsageError` for an execution date that is none."""
    return Occasion(
        pipeline=pipeline.uuid,
        trigger_name=trigger.name if trigger else NAME,
        kind=kind,
        variables=with_event(asked.variables, asked.event, pipeline, trigger),
        execution_date=_date(asked.execution_date),
        key=asked.key,
    )


def with_event(
    variables: Mapping[str, Any], event: Mapping[str, Any], pipeline: Pipeline | None, trigger: Trigger | None
) -> dict[str, Any]:
    """As in Mage: the event is `event`, and what is in it a variable as well, unless something else is called so."""
    if not event:
        return dict(variables)
    taken = {*(pipeline.variables if pipeline else ()), *(trigger.variables if trigger else ()), *variables}
    free = {name: value for name, value in event.items() if name not in taken}
    given = variables.get("event")
    return {**free, **variables, "event": {**(given if isinstance(given, Mapping) else {}), **event}}


def _date(text: str | None) -> str | None:
    """In UTC and without a zone, as execution dates are kept."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "write it as 2021-01-31 or 2021-01-31T05:00:00"
        raise UsageError(f"execution_date is not a date: '{text}'", hint=hint) from error
    return moment_text(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment)

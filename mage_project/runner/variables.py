"""The variables of a run, and the keyword arguments that Mage gives to blocks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from mage_project.errors import UsageError
from mage_project.io.yaml_faults import UNBUILDABLE
from mage_project.project import Pipeline
from mage_project.project.yaml_library import yaml


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """`['month=2020-10', 'months=[a, b]']` as a mapping; values are YAML, so that lists and numbers can be given."""
    found: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"'{assignment}' is not a variable", hint="write --var name=value")
        found[name.strip()] = _value(name.strip(), text)
    return found


def _value(name: str, text: str) -> Any:
    """YAML where it is meant as YAML, else the text itself (a date, `a: b`, an asterisk...).

    Raises UsageError for what begins as a list or a mapping, and for what is read as a date or a number, and is none.
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        if text.lstrip().startswith(("[", "{")) and not text.lstrip().startswith(("{{", "{%")):
            what = f"the value of '{name}' begins as a list or a mapping, and is none"
            hint = f"close its brackets; or, if it is a text, put it in quotes: --var '{name}=\"...\"'"
            raise UsageError(what, hint=hint) from error
        return text
    except UNBUILDABLE as error:
        what = f"the value of '{name}' is read as YAML, and cannot be built: {text[:60]}"
        hint = f"mend it (is it a date that there is?); or, if it is a text, put it in quotes: --var '{name}=\"...\"'"
        raise UsageError(what, hint=hint) from error
    is_text = isinstance(value, date) or (isinstance(value, dict) and not text.lstrip().startswith("{"))
    return text if is_text else value


def run_variables(
    pipeline: Pipeline, given: Mapping[str, Any], started: datetime, *, run_id: str = "", trigger: str | None = None
) -> dict[str, Any]:
    """The pipeline's variables, `given` over them, and what Mage adds to every run; of a trigger, its name too.

    Moments are naive UTC, as Mage's are; those that are given may be ISO dates or times.
    """
    variables = {**plain(pipeline.variables), **given}
    moment = _moment("execution_date", variables) or started
    of_interval = ("interval_start_datetime", "interval_end_datetime", "interval_start_datetime_previous")
    interval = {name: _moment(name, variables) for name in of_interval}
    return {
        "env": os.environ.get("ENV", "dev"),
        "pipeline_run_id": run_id,
        "execution_partition": f"{pipeline.uuid}/{moment:%Y%m%dT%H%M%S}",
        **({"trigger_name": trigger} if trigger else {}),
        **variables,
        "execution_date": moment,
        "ds": f"{moment:%Y-%m-%d}",
        "hr": f"{moment:%H}",
        **interval,
        "interval_start_datetime": interval["interval_start_datetime"] or moment,
        "interval_seconds": variables.get("interval_seconds"),
        "event": variables.get("event", {}),
        "pipeline_uuid": pipeline.uuid,
        "repo_path": str(pipeline.root),
    }


def plain(value: Any) -> Any:
    """The value with plain dicts and lists in it, where the project's files gave mappings that know their lines."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def _moment(name: str, variables: Mapping[str, Any]) -> datetime | None:
    value = variables.get(name)
    if value is None:
        return None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise UsageError(
            f"{name} is not a date: '{value}'", hint="write it as 2021-01-31 or 2021-01-31T05:00:00"
        ) from error
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment

"""Reads a pipeline's triggers.yaml: what Mage writes there, and what only this runner knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from mage_project import masking
from mage_project.errors import ConfigError, did_you_mean
from mage_project.project import document
from mage_project.project.checking import MOST_SECONDS, Checker
from mage_project.project.document import Mapping
from mage_project.project.model import Trigger
from mage_project.project.own_keys import check_names, watch, with_own_keys
from mage_project.project.trigger_settings import settings
from mage_project.project.triggers_in_mage import left_out

#: What may stand there. Mage's own are those of its ScheduleType and ScheduleStatus, 0.9.80.
_CHOICES = {
    "schedule_type": ("time", "api", "event"),
    "status": ("active", "inactive"),
    "catch_up": ("none", "last", "all"),
}
#: A shorter one can be found by trying. Mage's own have 32 hexadecimal digits.
SHORTEST_TOKEN = 16
#: Years of moments: in the first and the last that there are a calendar cannot reckon.
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


def triggers_of(path: Path, checker: Checker) -> tuple[Trigger, ...]:
    """The triggers of a pipeline's file. Whatever is wrong there keeps the pipeline from nothing."""
    own = Checker(path)
    try:
        found = tuple(read_triggers(path, own))
    except ConfigError as error:
        line = str(error.where).rpartition(":")[2]
        own.error(error.what, int(line) if line.isdigit() else 1, hint=error.hint)
        found = ()
    checker.problems += [replace(each, warning=True, is_mistake=not each.warning) for each in own.problems]
    return found


def read_triggers(path: Path, checker: Checker) -> Iterator[Trigger]:
    """The triggers of the file, if there is one. `ConfigError` for a file that cannot be read."""
    if not path.is_file():
        return
    checker = checker.of(path)
    content = document.read(path)
    names = set()
    for entry in checker.entries(content, "triggers"):
        before = len(checker.problems)
        checker.keys(entry, "trigger")
        left_out(entry, checker)
        trigger = _trigger(with_own_keys(entry, content, checker), checker)
        if trigger.name and trigger.name in names:
            checker.error(f"two triggers are called '{trigger.name}'", entry.line, hint=_NAME)
        names.add(trigger.name)
        flaws = [each for each in checker.problems[before:] if not each.warning]
        yield replace(trigger, flaws=len(flaws))
    check_names(content, names, checker)


_NAME = "give each its own name: by it the history knows what has run"


def _trigger(entry: Mapping, checker: Checker) -> Trigger:
    sla_s = entry.get("sla")
    is_number = isinstance(sla_s, int) and not isinstance(sla_s, bool) and 0 <= sla_s <= MOST_SECONDS
    if sla_s is not None and not is_number:
        checker.error(f"'sla' is a number of seconds, 0 to {MOST_SECONDS:,}, not {sla_s!r}", entry.line_of("sla"))
    return Trigger(
        name=_name(entry, checker),
        schedule_type=_choice(entry, "schedule_type", checker) or "time",
        schedule_interval=_text_or_none(entry.get("schedule_interval")),
        start_time=_moment(entry, "start_time", checker),
        last_enabled_at=_moment(entry, "last_enabled_at", checker),
        status=_choice(entry, "status", checker) or "inactive",
        variables=checker.mapping(entry, "variables"),
        settings=settings(entry, checker),
        sla_s=sla_s if is_number else None,
        envs=_envs(entry),
        timezone=_text_or_none(entry.get("timezone")),
        catch_up=_choice(entry, "catch_up", checker) or "last",  # type: ignore[arg-type]
        token=_token(entry, checker),
        watch=watch(entry, checker),
        path=checker.path,
        line=entry.line,
    )


def _envs(entry: Mapping) -> tuple[str, ...]:
    """The environments, of which one may stand there without a list."""
    value = entry.get("envs") or ()
    return tuple(str(env) for env in (value if isinstance(value, list) else [value] if value else ()))


def _name(entry: Mapping, checker: Checker) -> str:
    """The name; empty where there is none, or a word that is no text to YAML: `off`, `on`, `yes`, `no`."""
    name = entry.get("name")
    if isinstance(name, bool):
        what, hint = f"the name of a trigger is no text but {str(name).lower()} to YAML", "quote it: name: 'off'"
    elif isinstance(name, (list, dict)) or name in (None, ""):
        what, hint = "a trigger has no name", "name: ..., by which the history knows what has run"
    else:
        return str(name)
    checker.error(f"{what}: it does not count", entry.line_of("name"), hint=hint)
    return ""


def _token(entry: Mapping, checker: Checker) -> str | None:
    """The token of an API trigger; whatever is said of it from now on hides it."""
    token = _text_or_none(entry.get("token"))
    masking.hide({"trigger_token": token or ""})
    if token is not None and len(token) < SHORTEST_TOKEN and entry.get("schedule_type") == "api":
        what = f"the token of trigger '{entry.get('name')}' is shorter than {SHORTEST_TOKEN} characters"
        hint = 'one that nobody guesses: python -c "import secrets; print(secrets.token_hex())"'
        checker.error(what, entry.line_of("token"), hint=hint, warning=True)
    return token


def _choice(entry: Mapping, key: str, checker: Checker) -> str | None:
    """The word; None where there is none, or one that does not exist."""
    value = _text_or_none(entry.get(key))
    if value is None or value in _CHOICES[key]:
        return value
    words = ", ".join(_CHOICES[key])
    of_yaml = " (so YAML reads on, off, yes and no)" if isinstance(entry[key], bool) else ""
    what = f"there is no {key} '{value}'{of_yaml}.{did_you_mean(value, _CHOICES[key])}"
    checker.error(what, entry.line_of(key), hint=f"one of {words}")
    return None


def _moment(entry: Mapping, key: str, checker: Checker) -> datetime | None:
    """The moment in UTC; without a zone it is UTC, as Mage writes it."""
    value = entry.get(key)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            checker.error(f"{key} is not a date: '{value}'", entry.line_of(key))
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        what = f"{key} must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}, not in {value.year}: it does not count"
        checker.error(what, entry.line_of(key))
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)

"""Reads `notification_config`, as Mage writes it in a project's and a pipeline's metadata.yaml, and `alerts` beside it.

Each key of a pipeline's goes over the project's, as in Mage. Values are rendered as Mage renders them (`env_var`, ...).
What is wrong is collected: it keeps no pipeline from running, and no other channel from being told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mage_project import masking
from mage_project.alerts.channels import EVENTS, KINDS, PARTS, TEMPLATES, USUAL, Alerts, Channel, Kind
from mage_project.alerts.words import unknown_names
from mage_project.errors import ConfigError, did_you_mean
from mage_project.io.templates import Absent, Template
from mage_project.project import document
from mage_project.project.checking import Checker
from mage_project.project.model import Problem

MAGES, OURS = "notification_config", "alerts"
#: Most files have neither, and parsing YAML costs more than the rest of a small run.
_WORDS = (MAGES.encode(), OURS.encode())
_OF_A_SHELL = re.compile(r"\$\{(\w+)\}")
#: Why a channel is off of which a problem tells the rest.
_WRONG = "its settings are wrong"
_FORM = "scheme://..., as Apprise has them: https://github.com/caronc/apprise/wiki"
_KEYS = {MAGES: ("alert_on", "message_templates", *KINDS), OURS: ("urls",)}


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """What stands under one key, and where."""

    value: Any
    line: int
    template: Template
    checker: Checker


def files_of(root: Path, pipeline: str | None) -> list[Path]:
    """The files in which alerts may be configured; the later one goes over the one before."""
    own = [root / "pipelines" / pipeline / "metadata.yaml"] if pipeline else []
    return [root / "metadata.yaml", *own]


def read_alerts(
    root: Path, pipeline: str | None, *, why_refused: Callable[[str], str | None] = lambda _address: None
) -> tuple[Alerts, list[Problem]]:
    """What is configured for the pipeline, or for the project alone, and every problem found. Never raises.

    `why_refused` is asked about each address of our own section, where that may take its time.
    """
    problems: list[Problem] = []
    entries: dict[str, _Entry] = {}
    for path in files_of(root, pipeline):
        try:
            entries.update(_entries(path, problems))
        except (ConfigError, OSError) as error:
            line = (getattr(error, "where", "") or "").rpartition(":")[2]
            number = int(line) if line.isdigit() else 1
            hint = getattr(error, "hint", None)
            problems.append(Problem(message=f"no alerts: {error}".splitlines()[0], path=path, line=number, hint=hint))
    channels, unset = [], {}
    for name, entry in entries.items():
        if name in KINDS and entry.value is not None:
            settings, why = _settings(name, KINDS[name], entry)
            kind = name.removesuffix("_config")
            if why is not None:
                unset[kind] = why
            else:
                channels += [Channel(kind=kind, name=kind, settings=each) for each in _each(settings)]
    channels += _addresses(entries.get("urls"), unset, why_refused)
    on, templates = _events(entries.get("alert_on")), _templates(entries.get("message_templates"))
    return Alerts(on=on, channels=tuple(channels), unset=unset, templates=templates), problems


def _entries(path: Path, problems: list[Problem]) -> dict[str, _Entry]:
    raw = path.read_bytes() if path.is_file() else b""
    if not any(word in raw for word in _WORDS):
        return {}
    checker = Checker(path, problems)
    template = Template(raw.decode("utf-8-sig", "replace"), where=str(path))
    content = document.parse(template.render(), path)
    found = {}
    for section, keys in _KEYS.items():
        given = content.get(section) if isinstance(content, document.Mapping) else None
        if given is None:
            continue
        if not isinstance(given, document.Mapping):
            checker.error(f"'{section}' must be a mapping, not {given!r}", content.line_of(section))
            continue
        _look_at_keys(given, keys, section, checker)
        for key in (key for key in keys if key in given):
            found[key] = _Entry(value=given[key], line=given.line_of(key), template=template, checker=checker)
    return found


def _look_at_keys(given: document.Mapping, known: Iterable[str], place: str, checker: Checker) -> None:
    known = tuple(known)
    for key in given.keys() - set(known):
        meant = did_you_mean(str(key), known)
        checker.error(f"unknown key '{key}' of {place}.{meant}", given.line_of(key), hint=f"keys: {', '.join(known)}")


def _rendered(value: Any, template: Template) -> tuple[Any, list[Absent]]:
    """The value with what was rendered in its place; None for a text with a variable that is not set."""
    if isinstance(value, str):
        node = yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"')
        absent = template.resolve(node)
        return (None if absent else node.value), absent
    if isinstance(value, dict):
        pairs = {key: _rendered(inner, template) for key, inner in value.items()}
        absent = [each for _, more in pairs.values() for each in more]
        return {key: inner for key, (inner, _) in pairs.items()}, absent
    if isinstance(value, list):
        items = [_rendered(inner, template) for inner in value]
        return [inner for inner, absent in items if not absent], [each for _, absent in items for each in absent]
    return value, []


def _settings(name: str, kind: Kind, entry: _Entry) -> tuple[dict[str, Any], str | None]:
    """The channel's settings, and why it is switched off, if it is."""
    if not isinstance(entry.value, document.Mapping):
        entry.checker.error(f"'{name}' must be a mapping, not {entry.value!r}", entry.line)
        return {}, _WRONG
    _look_at_keys(entry.value, kind.keys, name, entry.checker)
    settings: dict[str, Any] = {}
    for key in kind.keys:
        if key not in entry.value:
            continue
        value, absent = _rendered(entry.value[key], entry.template)
        _look_for_shells_variables(entry.value[key], f"'{key}' of {name}", entry.value.line_of(key), entry.checker)
        if key in kind.needed and value in (None, "", [], "None"):
            why = absent[0].reason if absent else "a value"
            return {}, f"'{key}' needs {why}"
        settings[key] = value
    for key in kind.needed:
        if key not in settings:
            meant = next((other for other in entry.value if did_you_mean(str(other), [key])), None)
            if meant is None:
                entry.checker.error(f"'{name}' has no {key}", entry.line, hint=f"add `{key}: ...`")
            return {}, _WRONG
    _hide(name, settings)
    wrong = _wrong(name, settings)
    if wrong:
        entry.checker.error(f"'{name}': {wrong}", entry.line)
    return settings, _WRONG if wrong else None


def _look_for_shells_variables(value: Any, what: str, line: int, checker: Checker) -> None:
    """`${NAME}` in the file stays as it is, which may be meant in a password."""
    for text in map(str, _listed(value)):
        if found := _OF_A_SHELL.search(text):
            hint = f"Mage's form is {{{{ env_var('{found[1]}') }}}}"
            checker.error(f"{what} has {found[0]} in it, which nothing fills in", line, hint=hint, warning=True)


def _hide(name: str, settings: dict[str, Any]) -> None:
    """An address with which anybody may write there is a secret, and so is its path, which errors tell alone."""
    for key in ("webhook_url", "url") if name != "opsgenie_config" else ():
        for place, address in enumerate(_listed(settings.get(key))):
            path = str(address).partition("://")[2].partition("/")[2]
            masking.hide({f"secret{place}": str(address), f"secret_path{place}": path if len(path) > 12 else ""})
    masking.hide(settings)


def _wrong(name: str, settings: dict[str, Any]) -> str | None:
    for key in ("webhook_url", "url"):
        for address in _listed(settings.get(key)):
            if not str(address).startswith(("http://", "https://")):
                return f"{key} is no http:// or https:// address"
    if "smtp_port" in settings and not str(settings["smtp_port"]).isdigit():
        return f"smtp_port must be a number, not {settings['smtp_port']!r}"
    for key in ("smtp_starttls", "smtp_ssl"):
        if str(settings.get(key, "true")).lower() not in ("true", "false"):
            return f"{key} must be true or false, not {settings[key]!r}"
    return None


def _each(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The settings once for each webhook: Teams may have a list of them."""
    addresses = settings.get("webhook_url")
    return [{**settings, "webhook_url": each} for each in addresses] if isinstance(addresses, list) else [settings]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _addresses(
    entry: _Entry | None, unset: dict[str, str], why_refused: Callable[[str], str | None]
) -> Iterator[Channel]:
    """A channel for each of the addresses of our own section, named by its scheme."""
    if entry is None:
        return
    if not isinstance(entry.value, list):
        entry.checker.error(f"'urls' must be a list, not {entry.value!r}", entry.line)
        return
    for place, given in enumerate(entry.value):
        address, absent = _rendered(given, entry.template)
        _look_for_shells_variables(given, f"url {place + 1} of '{OURS}'", entry.line, entry.checker)
        if absent:
            unset[f"url {place + 1}"] = f"it needs {absent[0].reason}"
        elif not isinstance(address, str) or "://" not in address:
            entry.checker.error(f"url {place + 1} of '{OURS}' is no address", entry.line, hint=_FORM)
        else:
            masking.hide({"secret": address, "secret_path": address.partition("://")[2]})
            if why := why_refused(address):
                entry.checker.error(f"url {place + 1} of '{OURS}' reaches nobody: {why}", entry.line, hint=_FORM)
            yield Channel(kind="address", name=address.partition("://")[0], settings={"url": address})


def _events(entry: _Entry | None) -> tuple[str, ...]:
    if entry is None or entry.value is None:
        return USUAL
    words = [str(_rendered(word, entry.template)[0]) for word in _listed(entry.value)]
    for word in words:
        if word not in EVENTS:
            entry.checker.error(
                f"alert_on has no '{word}'.{did_you_mean(word, EVENTS)}", entry.line, hint=f"words: {', '.join(EVENTS)}"
            )
    return tuple(EVENTS[word] for word in words if word in EVENTS)


def _templates(entry: _Entry | None) -> dict[str, dict[str, str]]:
    if entry is None or entry.value is None:
        return {}
    if not isinstance(entry.value, document.Mapping):
        entry.checker.error(f"'message_templates' must be a mapping, not {entry.value!r}", entry.line)
        return {}
    _look_at_keys(entry.value, TEMPLATES, "message_templates", entry.checker)
    found = {}
    for event in TEMPLATES:
        given = entry.value.get(event)
        if not isinstance(given, document.Mapping):
            if given is not None:
                entry.checker.error(f"'{event}' must be a mapping of {', '.join(PARTS)}", entry.value.line_of(event))
            continue
        _look_at_keys(given, PARTS, f"message_templates.{event}", entry.checker)
        texts = {part: _rendered(given[part], entry.template)[0] for part in PARTS if given.get(part) is not None}
        for part, text in texts.items():
            for wrong in unknown_names(str(text)):
                entry.checker.error(f"'{part}' of message_templates.{event} {wrong}", given.line_of(part))
        found[event] = {part: str(text) for part, text in texts.items() if text is not None}
    return found

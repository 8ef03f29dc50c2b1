"""What this runner knows of triggers and Mage does not: `mage_project:` in triggers.yaml, by the trigger's name.

Mage passes over it there. In the trigger itself it would be an argument that Mage's own object does not know, and Mage
0.9.80 leaves out the whole trigger.
"""

from __future__ import annotations

from typing import Any

from mage_project.errors import did_you_mean
from mage_project.project.checking import KNOWN_KEYS, MOST_SECONDS, Checker, is_duration
from mage_project.project.concurrency import is_limit
from mage_project.project.document import Mapping
from mage_project.project.model import Watch

KEY = "mage_project"
_PLACE = "trigger under mage_project"
#: Addresses that one stands for: each is looked at each time.
_MOST_BACK = 10_000
#: What is watched besides files.
_SCHEMES = ("http://", "https://", "gs://")


def with_own_keys(entry: Mapping, content: Mapping, checker: Checker) -> Mapping:
    """The trigger's entry with its keys from under `mage_project`; those in the entry itself count, with a warning."""
    for key in entry.keys() & KNOWN_KEYS[_PLACE]:
        hint = f"write it at the end of the file: {KEY}: {{{entry.get('name')}: {{{key}: ...}}}}"
        checker.error(f"Mage leaves out a trigger with '{key}' in it", entry.line_of(key), hint=hint, warning=True)
    every = checker.mapping(content, KEY)
    own = every.get(str(entry.get("name")))
    if not isinstance(own, Mapping):
        if own is not None and isinstance(every, Mapping):
            what = f"what stands for trigger '{entry.get('name')}' under {KEY} must be a mapping, not {own!r}"
            checker.error(what, every.line_of(str(entry.get("name"))), warning=True)
        return entry
    checker.keys(own, _PLACE)
    both = Mapping({**entry, **{key: value for key, value in own.items() if key in KNOWN_KEYS[_PLACE]}})
    both.line, both.lines = entry.line, {**entry.lines, **own.lines}
    return both


def check_names(content: Mapping, names: set[str], checker: Checker) -> None:
    """A name under `mage_project` that is that of no trigger is a slip."""
    own = checker.mapping(content, KEY)
    for name in own.keys() - names:
        line = own.line_of(name) if isinstance(own, Mapping) else content.line_of(KEY)
        what = f"there is no trigger '{name}' in this file.{did_you_mean(str(name), names)}"
        checker.error(what, line)


def watch(entry: Mapping, checker: Checker) -> Watch | None:
    """What the trigger watches. What is wrong is told, and as if it were not there."""
    found: dict[str, Any] = {}
    for key, name, wanted, is_right in _KEYS:
        value = entry.get(key)
        if value is None:
            continue
        if is_right(value):
            found[name] = value
        else:
            checker.error(f"'{key}' must be {wanted}, not {value!r}", entry.line_of(key))
    addresses = found.pop("addresses", None)
    if addresses is None:
        return None
    return Watch(addresses=(addresses,) if isinstance(addresses, str) else tuple(addresses), **found)


def _is_watch(value: Any) -> bool:
    texts = value if isinstance(value, list) else [value]
    return bool(texts) and all(isinstance(text, str) and bool(text.strip()) and _is_known(text) for text in texts)


def _is_known(address: str) -> bool:
    if "://" not in address:
        return "\0" not in address
    from urllib.parse import urlsplit  # takes its time, and few projects watch

    try:
        return address.startswith(_SCHEMES) and bool(urlsplit(address).netloc)
    except ValueError:  # a bracket that is not closed
        return False


def _is_lookback(value: Any) -> bool:
    return is_limit(value) and value <= _MOST_BACK


_KEYS = (
    ("watch", "addresses", f"a path, an address with {', '.join(_SCHEMES)}, or a list of them", _is_watch),
    ("lookback", "lookback", f"a number from 1 to {_MOST_BACK:,}", _is_lookback),
    ("poll_interval", "poll_interval_s", f"a number of seconds, {MOST_SECONDS:,} at the most", is_duration),
)

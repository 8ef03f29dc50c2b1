"""Secrets that nobody should read over a shoulder or in a log: known once, they are hidden in whatever is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

#: What stands in the place of a secret.
STARS = "***"
#: Names whose values are not repeated to the one who typed them. These are texts: `re` compiles each when it is first
#: needed, and keeps it. To compile them here would take as long as what else a small run does.
_PRIVATE = r"passw|secret|token|credential|(^|_)(key|pwd)($|_)"
#: Names whose values are hidden wherever they turn up. A `key` alone is more often that of an object in a bucket.
_SECRET = r"passw|secret|token|passphrase|(private|access|api|application|acc)_?key(_id)?$|pkey$|(^|_)pwd$"  # noqa: S105
#: What every name has that one of them finds.
_HINTS = ("passw", "secret", "token", "passphrase", "credential", "key", "pwd")
#: The password in an address, such as postgresql://user:password@host.
_IN_ADDRESS = r"(\w://[^:/@\s]*):[^@/\s]+@"
#: What lets anybody in who has the address: `?sig=...` of Azure's, `&X-Goog-Signature=...`, `?api_key=...`
#: An `&` may be written as HTML, JSON or an address inside another one write it.
_IN_QUERY = (
    r"((?:[?&]|&amp;|\\u0026|%3F|%26)(?:sig|auth|[\w-]*(?:key|pwd)|[\w-]*(?:signature|token|secret|passw|credential)[\w-]*)"
    r"(?:=|%3D))(?:(?!%26)[^&#\s'\"\\])+"
)
#: A shorter value is a word like any other, and hiding it would make messages unreadable.
_SHORTEST = 6
#: Up to this length a value is only hidden where it stands alone, and not as a part of another word.
_WORD = 12

_values: set[str] = set()
_pattern: re.Pattern[str] | None = None


def is_private(name: str) -> bool:
    """Whether the value of a variable of this name should not be shown again."""
    return _is(_PRIVATE, name)


def _is(kind: str, name: str) -> bool:
    small = name.casefold()
    return any(hint in small for hint in _HINTS) and re.search(kind, name, re.IGNORECASE) is not None


def hide(settings: Mapping[str, Any]) -> None:
    """From now on `masked` hides the values of those settings whose names say that they are secrets.

    Not one that says no more than its own name does (`password`), or than another setting that is no secret (a user
    whose password is his name).
    """
    global _pattern
    plain = {str(value) for name, value in settings.items() if not _is(_SECRET, str(name))}
    found = {
        value
        for name, value in _secrets(settings)
        if len(value) >= _SHORTEST and value not in plain and value.lower() not in name.lower()
    }
    if not found <= _values:
        _values.update(found)
        longest_first = sorted(_values, key=len, reverse=True)
        _pattern = re.compile("|".join(map(_expression, longest_first)))


def masked(text: str) -> str:
    """The text with `***` in the place of every secret that is known, and of every password in an address."""
    text = without_passwords(text)
    return _pattern.sub(STARS, text) if _pattern else text


def without_passwords(text: str) -> str:
    """The text with `***` in the place of every password and signature in an address: the same in every process.

    Of a query also where only the end of its address is told (urllib3: `exceeded with url: /files?api_key=...`).
    """
    if "://" in text:
        text = re.sub(_IN_ADDRESS, rf"\1:{STARS}@", text)
    if "=" in text or "%3d" in text.lower():
        text = re.sub(_IN_QUERY, rf"\1{STARS}", text, flags=re.IGNORECASE)
    return text


def _secrets(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values; of a mapping (a service account's key) those inside it."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _secrets(value)
        elif isinstance(value, str) and _is(_SECRET, str(name)):
            yield str(name), value


def _expression(value: str) -> str:
    escaped = re.escape(value)
    return rf"(?<!\w){escaped}(?!\w)" if len(value) <= _WORD else escaped

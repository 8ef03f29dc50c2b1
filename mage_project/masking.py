"""Secrets that nobody should read over a shoulder or in a log: known once, they are hidden in whatever is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

#: What stands in the place of a secret.
STARS = "***"
#: Names whose values are not repeated to the one who typed them.
_PRIVATE = re.compile(r"passw|secret|token|credential|(^|_)(key|pwd)($|_)", re.IGNORECASE)
#: Names whose values are hidden wherever they turn up. A `key` alone is more often that of an object in a bucket.
_SECRET = re.compile(r"passw|secret|token|passphrase|(private|access|api|application|acc)_?key(_id)?$|pkey$|(^|_)pwd$",
                     re.IGNORECASE)  # fmt: skip
#: The password in an address, such as postgresql://user:password@host.
_IN_ADDRESS = re.compile(r"(\w://[^:/@\s]*):[^@/\s]+@")
#: What lets anybody in who has the address: `?sig=...` of Azure's, `&X-Goog-Signature=...`, `?api_key=...`
#: An `&` may be written as HTML, JSON or an address inside another one write it.
_IN_QUERY = re.compile(
    r"((?:[?&]|&amp;|\\u0026|%3F|%26)(?:sig|auth|[\w-]*(?:key|pwd)|[\w-]*(?:signature|token|secret|passw|credential)[\w-]*)"
    r"(?:=|%3D))(?:(?!%26)[^&#\s'\"\\])+",
    re.IGNORECASE,
)
#: A shorter value is a word like any other, and hiding it would make messages unreadable.
_SHORTEST = 6
#: Up to this length a value is only hidden where it stands alone, and not as a part of another word.
_WORD = 12

_values: set[str] = set()
_pattern: re.Pattern[str] | None = None


def is_private(name: str) -> bool:
    """Whether the value of a variable of this name should not be shown again."""
    return bool(_PRIVATE.search(name))


def hide(settings: Mapping[str, Any]) -> None:
    """From now on `masked` hides the values of those settings whose names say that they are secrets.

    Not one that says no more than its own name does (`password`), or than another setting that is no secret (a user
    whose password is his name).
    """
    global _pattern
    plain = {str(value) for name, value in settings.items() if not _SECRET.search(str(name))}
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
        text = _IN_ADDRESS.sub(rf"\1:{STARS}@", text)
    return _IN_QUERY.sub(rf"\1{STARS}", text)


def _secrets(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values; of a mapping (a service account's key) those inside it."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _secrets(value)
        elif isinstance(value, str) and _SECRET.search(str(name)):
            yield str(name), value


def _expression(value: str) -> str:
    escaped = re.escape(value)
    return rf"(?<!\w){escaped}(?!\w)" if len(value) <= _WORD else escaped

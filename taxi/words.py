"""Wording that the messages of this package share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: What to do about a file whose text is not as it should be.
CORRECT = "Correct a copy of the file and give its folder as source, or leave the month out."
#: What to do about a value that does not fit the type of its column.
AS_NULL = f"Have null in its place with contract: {{changed: discard}}, or: {CORRECT}"
QUOTED = 60  # characters of a value that a message shows


def did_you_mean(name: object, options: Iterable[str]) -> str:
    """The ending ` Did you mean 'x'?` for the option nearest to `name`, or nothing."""
    close = difflib.get_close_matches(str(name), list(options), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def quoted(value: str, limit: int = QUOTED) -> str:
    """`value` in quotation marks, cut after `limit` characters, with nothing unprintable in it."""
    return repr(value) if len(value) <= limit else f"{value[:limit]!r}... ({len(value):,} characters)"


def listed(words: Iterable[object]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = [str(word) for word in words] or ["nothing"]
    return f"{', '.join(first)} and {last}" if first else last

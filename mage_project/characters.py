"""What cannot be printed, made visible: values of data could otherwise move a terminal's cursor or turn its text."""

from __future__ import annotations

import unicodedata

#: Control characters, those that turn the direction of writing, lone surrogates, and further line ends.
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    """The text on one line, with escapes such as `\\n` and `\\x1b` for what cannot be printed."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(sign: str) -> str:
    return ascii(sign)[1:-1] if unicodedata.category(sign) in _UNPRINTABLE else sign

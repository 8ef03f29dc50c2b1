"""The first line of a month's CSV."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from taxi.words import CORRECT

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_SEPARATORS = (";", "\t", "|")


@dataclass(frozen=True, kw_only=True)
class Header:
    """The names in a file's order, without the blanks around them; and how long the line is."""

    names: list[str]
    size_bytes: int


def read_header(line: bytes, label: str) -> Header:
    """The header in `line`; a byte-order mark is skipped. Raises ValueError for what is no line of text."""
    try:
        text = line.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{label}, line 1: the header is not UTF-8 text. {CORRECT}") from None
    if not text.strip():
        raise ValueError(f"{label}: there is no header: a month begins with the names of its columns. {CORRECT}")
    try:
        names = [name.strip() for name in next(csv.reader([text]))]
    except csv.Error as error:
        reason = r"lines have to end with \n or \r\n, not with \r" if "\r" in text.strip() else f"not CSV: {error}"
        raise ValueError(f"{label}, line 1: {reason}. {CORRECT}") from None
    _refuse_other_separators(names, label)
    return Header(names=names, size_bytes=len(line))


def _refuse_other_separators(names: list[str], label: str) -> None:
    for separator in _OTHER_SEPARATORS:
        if len(names) == 1 and names[0].count(separator) > 1:
            raise ValueError(f"{label}, line 1: the names are parted by {separator!r}, not by commas. {CORRECT}")

"""The first line of a month's CSV."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from taxi.words import CORRECT

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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
    return Header(names=[name.strip() for name in next(csv.reader([text]))], size_bytes=len(line))

"""The first line of a month's CSV: checked against the declared columns before any row is read."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from taxi.columns import Columns
from taxi.words import CORRECT, did_you_mean, listed, quoted

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Header:
    """The names in a file's order, spelled as declared; `unknown` are those that are not declared."""

    names: list[str]
    unknown: list[str]
    size_bytes: int


def read_header(line: bytes, columns: Columns, label: str) -> Header:
    """The header in `line`. Order and case are free; a byte-order mark is skipped.

    Raises ValueError, naming the columns, where one is missing or occurs twice.
    """
    try:
        text = line.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{label}, line 1: the header is not UTF-8 text. {CORRECT}") from None
    if not text.strip():
        raise ValueError(f"{label}: there is no header: a month begins with the names of its columns. {CORRECT}")
    found = [name.strip() for name in next(csv.reader([text]))]
    _refuse_duplicates(found, label)
    _refuse_missing(found, columns, label)
    declared = {name.casefold(): name for name in columns}
    return Header(
        names=[declared.get(name.casefold(), name) for name in found],
        unknown=[name for name in found if name.casefold() not in declared],
        size_bytes=len(line),
    )


def _refuse_duplicates(found: list[str], label: str) -> None:
    counts = Counter(name.casefold() for name in found)
    twice = [quoted(name) for name in found if counts[name.casefold()] > 1]
    if twice:
        raise ValueError(f"{label}, line 1: column names occur more than once: {listed(twice)}. {CORRECT}")


def _refuse_missing(found: list[str], columns: Columns, label: str) -> None:
    present = {name.casefold() for name in found}
    missing = [name for name in columns if name.casefold() not in present]
    if missing:
        raise ValueError(
            f"{label}, line 1: missing {_columns(missing)}.{did_you_mean(missing[0], found)} "
            f"The header has: {', '.join(quoted(name)[1:-1] for name in found[:30])}. {CORRECT}"
        )


def _columns(names: Iterable[str]) -> str:
    names = list(names)
    return f"{'column' if len(names) == 1 else 'columns'} {listed(names)}"

"""Reading a block slowly: to find the exact place of what Arrow refuses, or to see that nothing is lost by it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from taxi.casts import REFUSALS, cast_what_fits, described, first_refused, from_text
from taxi.columns import CODE, DOLLARS, Columns
from taxi.text import BadText, Block
from taxi.words import quoted


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The fields of a block's records, and how many lines of the block come before each record."""

    fields: list[list[str]]
    lines: list[int]


def read_exactly(block: Block, names: list[str], columns: Columns) -> pa.Table:
    """The block's rows with the declared types; whole numbers may be written as `1.0`, and blanks surround them.

    `names` are those of the fields, `columns` those that are wanted. Raises BadText for the first row that is not
    as declared.
    """
    rows = _rows(block, names)
    texts = _texts(rows, names, columns)
    try:
        return pa.table({name: _converted(texts[name], kind) for name, kind in columns.items()})
    except REFUSALS:
        first = {name: _first_refused(texts[name], kind) for name, kind in columns.items()}
        name = min(columns, key=lambda column: first[column])
        raise _bad(block, rows, name, texts[name], first[name], columns[name]) from None


def read_what_fits(block: Block, names: list[str], columns: Columns, needed: str) -> tuple[pa.Table, Counter[str]]:
    """The block's rows with null for what does not fit its type, and how many such values each column has.

    Raises BadText for a row with too few or too many fields, and for a value of the column `needed`.
    """
    rows = _rows(block, names)
    texts = _texts(rows, names, columns)
    read, refused = {}, Counter[str]()
    for name, kind in columns.items():
        if name == needed and (first := _first_refused(texts[name], kind)) < len(texts[name]):
            raise _bad(block, rows, name, texts[name], first, kind)
        known = [text if text.isascii() or _is_utf8(text) else None for text in texts[name]]
        values, unfit = cast_what_fits(pa.array([text or None for text in known], pa.string()), kind)
        read[name] = values
        refused[name] += unfit + known.count(None)
    return pa.table(read), +refused


def _texts(rows: _Rows, names: list[str], columns: Columns) -> dict[str, list[str]]:
    place = {name: names.index(name) for name in columns}
    return {name: [fields[place[name]] for fields in rows.fields] for name in columns}


def _rows(block: Block, names: list[str]) -> _Rows:
    text = bytes(block.text).decode(errors="surrogateescape")
    reader = csv.reader(io.StringIO(text, newline="\n"))
    rows = _Rows(fields=[], lines=[])
    before = 0
    try:
        for fields in reader:
            if fields:
                _check_count(fields, names, block.start, before)
                rows.fields.append(fields)
                rows.lines.append(before)
            before = reader.line_num
    except csv.Error as error:
        raise BadText(f"not CSV: {error}", offset=block.start, lines=before) from None
    return rows


def _check_count(fields: list[str], names: list[str], offset: int, lines: int) -> None:
    if len(fields) != len(names):
        count = f"{len(fields)} field{'s' * (len(fields) != 1)} where the header has {len(names)} columns"
        raise BadText(f"{count}: {quoted(','.join(fields), 120)}", offset=offset, lines=lines)


def _converted(values: list[str], kind: pa.DataType) -> pa.Array:
    """The values of one column. Raises one of REFUSALS for one that would lose something."""
    return from_text(pa.array(values, pa.string()), kind)


def _first_refused(values: list[str], kind: pa.DataType) -> int:
    """The place of the first value that cannot be converted; the number of values if all can."""
    return first_refused(len(values), lambda count: _converted(values[:count], kind))


def _bad(block: Block, rows: _Rows, name: str, texts: list[str], place: int, kind: pa.DataType) -> BadText:
    return BadText(_refusal(texts[place], kind), offset=block.start, lines=rows.lines[place], column=name)


def _refusal(value: str, kind: pa.DataType) -> str:
    if not _is_utf8(value):
        return f"{value.encode(errors='surrogateescape')[:60]!r} is not UTF-8 text"
    if kind == CODE and re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return f"{quoted(value)} does not fit a 32-bit whole number"
    if kind == DOLLARS and re.fullmatch(r"\s*[+-]?[\d.]+(e[+-]?\d+)?\s*", value, re.IGNORECASE):
        return f"{quoted(value)} does not fit a 64-bit floating-point number"
    return f"{quoted(value)} is not {described(kind)}"


def _is_utf8(value: str) -> bool:
    """Whether the text was UTF-8: what was not was read as lone surrogates."""
    return value.encode(errors="surrogateescape") == value.encode(errors="replace")

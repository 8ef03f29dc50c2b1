"""Reading a block slowly: to find the exact place of what Arrow refuses, or to see that nothing is lost by it."""

from __future__ import annotations

import bisect
import csv
import io
import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from taxi.columns import CODE, DOLLARS, FLAG, WALL_TIME, Columns
from taxi.header import Header
from taxi.text import BadText, Block
from taxi.words import quoted

_KINDS = {CODE: "a whole number", DOLLARS: "a number", WALL_TIME: "a time like 2020-10-01 00:31:19"}
_REFUSALS = (pa.ArrowInvalid, UnicodeEncodeError)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The fields of a block's records, and how many lines of the block come before each record."""

    fields: list[list[str]]
    lines: list[int]


def read_exactly(block: Block, header: Header, columns: Columns) -> pa.Table:
    """The block's rows with the declared types; whole numbers may be written as `1.0`, and blanks surround them.

    Raises BadText for the first row that is not as declared.
    """
    rows = _rows(block, header)
    place = {name: header.names.index(name) for name in columns}
    texts = {name: [fields[place[name]] for fields in rows.fields] for name in columns}
    try:
        return pa.table({name: converted(texts[name], kind) for name, kind in columns.items()})
    except _REFUSALS:
        first = {name: _first_refused(texts[name], kind) for name, kind in columns.items()}
        name = min(columns, key=lambda column: first[column])
        value = texts[name][first[name]]
        raise BadText(
            _refusal(value, columns[name]), offset=block.start, lines=rows.lines[first[name]], column=name
        ) from None


def _rows(block: Block, header: Header) -> _Rows:
    text = bytes(block.text).decode(errors="surrogateescape")
    reader = csv.reader(io.StringIO(text, newline="\n"))
    rows = _Rows(fields=[], lines=[])
    before = 0
    try:
        for fields in reader:
            if fields:
                _check_count(fields, header, block.start, before)
                rows.fields.append(fields)
                rows.lines.append(before)
            before = reader.line_num
    except csv.Error as error:
        raise BadText(f"not CSV: {error}", offset=block.start, lines=before) from None
    return rows


def _check_count(fields: list[str], header: Header, offset: int, lines: int) -> None:
    if len(fields) != len(header.names):
        count = f"{len(fields)} field{'s' * (len(fields) != 1)} where the header has {len(header.names)} columns"
        raise BadText(f"{count}: {quoted(','.join(fields), 120)}", offset=offset, lines=lines)


def converted(values: list[str], kind: pa.DataType) -> pa.Array:
    """The values of one column. Raises pa.ArrowInvalid or UnicodeEncodeError for one that would lose something."""
    array = pa.array(values, pa.string())
    if kind != FLAG:
        array = pc.utf8_trim_whitespace(array)
    array = pc.if_else(pc.equal(array, ""), None, array)
    if kind == CODE:
        array = pc.replace_substring_regex(array, r"^([+-]?[0-9]+)\.0*$", r"\1")
    array = array.cast(kind)
    if kind == DOLLARS and not pc.all(pc.is_finite(array), min_count=0).as_py():
        raise pa.ArrowInvalid("not a finite number")
    return array


def _first_refused(values: list[str], kind: pa.DataType) -> int:
    """The place of the first value that cannot be converted; the number of values if all can."""

    def refused(count: int) -> bool:
        try:
            converted(values[:count], kind)
        except _REFUSALS:
            return True
        return False

    return bisect.bisect_left(range(1, len(values) + 1), True, key=refused)


def _refusal(value: str, kind: pa.DataType) -> str:
    if not value.isprintable() and value.encode(errors="surrogateescape") != value.encode(errors="replace"):
        return f"{value.encode(errors='surrogateescape')[:60]!r} is not UTF-8 text"
    if kind == CODE and re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return f"{quoted(value)} does not fit a 32-bit whole number"
    if kind == DOLLARS and re.fullmatch(r"\s*[+-]?[\d.]+(e[+-]?\d+)?\s*", value, re.IGNORECASE):
        return f"{quoted(value)} does not fit a 64-bit floating-point number"
    return f"{quoted(value)} is not {_KINDS[kind]}"

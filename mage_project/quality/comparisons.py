"""Conditions that are nothing but comparisons, as kernels: `a <= b + INTERVAL 1 HOUR AND c > 0`.

They cost a tenth of a query, and DuckDB is not loaded for them, which takes some 40 MB. Anything else, and columns
whose comparison SQL has rules of its own for, is left to DuckDB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mage_project.quality.row_sql import AND, COMPARISON, LATER, similar
from mage_project.quality.rows import Rows

_KERNELS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
    "=": pc.equal,
    "<>": pc.not_equal,
    "!=": pc.not_equal,
}
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


def mask(sql: str, rows: Rows, *, negate: bool) -> pa.BooleanArray | None:
    """The rows for which the condition is true or, negated, false. None where it is not for kernels."""
    answers = []
    for part in AND.split(sql):
        answer = _compared(part, rows)
        if answer is None:
            return None
        answers.append(answer)
    whole = answers[0]
    for answer in answers[1:]:
        whole = pc.and_kleene(whole, answer)
    return pc.fill_null(pc.invert(whole) if negate else whole, False)


def _compared(sql: str, rows: Rows) -> Any:
    """What one comparison gives for each row: true, false or null. None where it is not for kernels."""
    if found := COMPARISON.fullmatch(sql):
        sides = _sides(found[1], found[3], rows)
        return _KERNELS[found[2]](*sides) if sides else None
    if matched := similar(sql):
        column = _column(matched[0], rows)
        if column is not None and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return pc.match_substring_regex(column, rf"\A(?:{matched[1]})\z")
    return None


def _sides(left: str, right: str, rows: Rows) -> tuple[Any, Any] | None:
    """Both sides of a comparison in types that Arrow compares as SQL does."""
    one = _column(left, rows)
    if one is None:
        return None
    if right[0] == "'":
        literal = _literal(right[1:-1], one.type)
        return None if literal is None else (one, literal)
    if right[0] in "-0123456789":
        number = float(right) if "." in right else int(right)
        return (one, pa.scalar(number)) if _is_number(one.type) and abs(number) < 2**53 else None
    other = _later(right, rows)
    if other is None or not (one.type == other.type or (_is_number(one.type) and _is_number(other.type))):
        return None
    return (one, other) if _is_number(one.type) or _is_plain(one.type) else None


def _later(sql: str, rows: Rows) -> pa.Array | None:
    """A column, or one of times with an interval added."""
    found = LATER.fullmatch(sql)
    column = _column(found[1], rows) if found else None
    if found is None or found[2] is None or column is None:
        return column
    if not pa.types.is_timestamp(column.type) or column.type.tz is not None:
        return None
    span = pa.scalar(int(found[2]) * _SECONDS[found[3].lower()], pa.duration("s")).cast(pa.duration(column.type.unit))
    try:
        return pc.add_checked(column, span)
    except pa.ArrowInvalid:  # later than any time
        return None


def _column(name: str, rows: Rows) -> pa.Array | None:
    """Names are found whatever their case, if only one has these letters."""
    plain = name.strip('"')
    found: Sequence[str] = [each for each in rows.names if each.lower() == plain.lower()]
    return rows.column(found[0]) if len(found) == 1 else None


def _literal(text: str, kind: pa.DataType) -> Any:
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.scalar(text, kind)
    if not _is_plain(kind):
        return None
    try:
        return pa.scalar(text).cast(kind)
    except pa.ArrowInvalid:
        return None


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_signed_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind))


def _is_plain(kind: pa.DataType) -> bool:
    """Times without a zone, and dates."""
    return bool(pa.types.is_date32(kind) or (pa.types.is_timestamp(kind) and kind.tz is None))

"""From one type to another without losing anything, and finding the values that would lose something."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from taxi.columns import DOLLARS, TEXT
from taxi.kinds import NULL, NUMBER, TEXTUAL, TIME, family, plain

#: What a cast raises where something would be lost.
REFUSALS = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, UnicodeEncodeError)


def cast(array: pa.Array, kind: pa.DataType, *, finite: bool = False) -> pa.Array:
    """The same values with the type `kind`. Raises one of REFUSALS where a value would not stay the same.

    `finite` refuses what is no number at all, or infinite.
    """
    result = _cast(array, kind)
    if finite and not math.isfinite(pc.sum(result).as_py() or 0) and not pc.all(pc.is_finite(result)).as_py():
        raise pa.ArrowInvalid("not a finite number")
    return result


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type != plain(array.type):
        array = array.cast(plain(array.type))
    found = family(array.type)
    if found == NULL:
        return pa.nulls(len(array), kind)
    if found in TEXTUAL:
        array = array.cast(pa.string())
        array.validate(full=True)  # Parquet does not promise UTF-8
        return array if kind == TEXT else from_text(array, kind)
    if array.type == kind:
        return array
    _refuse_other_meaning(array.type, kind)
    if not types.is_decimal(array.type) or not types.is_floating(kind):
        return array.cast(kind)
    result = array.cast(pa.string()).cast(kind)  # Arrow's own cast does not give the nearest number
    if not result.cast(array.type).equals(array):
        raise pa.ArrowInvalid("a decimal would be rounded")
    return result


def _refuse_other_meaning(found: pa.DataType, kind: pa.DataType) -> None:
    """Raise where a cast would not lose anything, but would have to guess: an integer is no time, nor true a text."""
    number = family(found) == NUMBER or types.is_decimal(found)
    if (types.is_integer(kind) or types.is_floating(kind)) and not number:
        raise pa.ArrowTypeError(f"{found} is no number")
    if types.is_timestamp(kind) and kind.tz is None and family(found) != TIME and not types.is_date(found):
        raise pa.ArrowTypeError(f"{found} is no time on the wall")
    if kind == TEXT and family(found) != NUMBER:
        raise pa.ArrowTypeError(f"{found} is no text")


def from_text(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The values of a column of text; whole numbers may be written as `1.0`, and blanks surround them.

    Raises pa.ArrowInvalid for one that would lose something.
    """
    if kind != TEXT:
        array = pc.utf8_trim_whitespace(array)
    array = pc.if_else(pc.equal(array, ""), None, array)
    if types.is_integer(kind):
        array = pc.replace_substring_regex(array, r"^([+-]?[0-9]+)\.0*$", r"\1")
    array = array.cast(kind)
    if kind == DOLLARS and not pc.all(pc.is_finite(array), min_count=0).as_py():
        raise pa.ArrowInvalid("not a finite number")
    return array


def check_meaning(kind: pa.DataType, wanted: pa.DataType) -> None:
    """Raise one of REFUSALS where no value of the type `kind`, null apart, can be one of `wanted`."""
    cast(pa.nulls(0, kind), wanted)


def first_refused(count: int, convert: Callable[[int], object]) -> int:
    """The place of the first of `count` values for which `convert(place + 1 values)` raises; `count` if none does."""

    def refused(values: int) -> bool:
        try:
            convert(values)
        except REFUSALS:
            return True
        return False

    return bisect.bisect_left(range(1, count + 1), True, key=refused)


def cast_what_fits(array: pa.Array, kind: pa.DataType, *, finite: bool = False) -> tuple[pa.Array, int]:
    """The values with the type `kind`, null where they would not stay the same; and how many became null."""
    try:
        return cast(array, kind, finite=finite), 0
    except REFUSALS:
        pass
    try:
        encoded = array.cast(plain(array.type)).dictionary_encode()
        different = encoded.dictionary
        values = [_cast_or_null(different[place : place + 1], kind, finite) for place in range(len(different))]
    except REFUSALS:  # of a type whose values cannot be told apart
        return pa.nulls(len(array), kind), len(array) - array.null_count
    fitting = pa.concat_arrays(values).take(encoded.indices)
    return fitting, int(fitting.null_count - _nothings(encoded, kind))


def _cast_or_null(value: pa.Array, kind: pa.DataType, finite: bool) -> pa.Array:
    try:
        return cast(value, kind, finite=finite)
    except REFUSALS:
        return pa.nulls(1, kind)


def _nothings(encoded: pa.DictionaryArray, kind: pa.DataType) -> int:
    """How many values say nothing: the nulls and, where a number or a time is wanted, the empty texts."""
    different = encoded.dictionary
    if kind == TEXT or family(different.type) not in TEXTUAL:
        return int(encoded.null_count)
    texts = different.cast(pa.string()).cast(pa.binary()).to_pylist()  # they may be no UTF-8
    blanks = pa.array([place for place, text in enumerate(texts) if not text.strip()], encoded.indices.type)
    return int(encoded.null_count + pc.sum(pc.is_in(encoded.indices, value_set=blanks), min_count=0).as_py())


def described(kind: pa.DataType) -> str:
    """What a value of that type is called in messages."""
    if types.is_integer(kind):
        return "a whole number"
    if types.is_floating(kind):
        return "a number"
    return "a time like 2020-10-01 00:31:19" if types.is_timestamp(kind) else "text"

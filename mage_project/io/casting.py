"""Casts Arrow arrays to another type without losing anything, or says which value does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mage_project.errors import StoreError
from mage_project.io.jsontext import json_text

#: What Arrow raises for a value or a pair of types that it cannot cast.
_REFUSALS = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OverflowError)
_DECIMAL_DIGITS = 38


def cast(array: Any, target: pa.DataType, *, column: str, sql: str, first_row: int = 1) -> Any:
    """`array` (an Array) as `target`.

    Raises StoreError naming the column, the first value that does not fit and its row, where `first_row` is the
    number of the array's first row. `sql` is the type to name in the message. Nanoseconds become microseconds, which
    is all that stores have; nothing else is lost.
    """
    if array.type == target:
        return array
    array = _unwrapped(array)
    if array.type == target:
        return array
    _check_kinds(array.type, target, column, sql)
    try:
        return _lossless(array, target)
    except _REFUSALS as error:
        raise _refusal(array, target, column, sql, first_row) from error


def _unwrapped(array: Any) -> Any:
    """Dictionaries, runs, extension types, durations and halves as what they stand for."""
    if isinstance(array, pa.ExtensionArray):
        return _unwrapped(array.storage)
    if pa.types.is_dictionary(array.type):
        return _unwrapped(array.dictionary_decode())
    if pa.types.is_run_end_encoded(array.type):
        return _unwrapped(pc.run_end_decode(array))
    if pa.types.is_duration(array.type):
        return array.cast(pa.duration("ns")).cast(pa.int64())
    return array


def _check_kinds(arrow: pa.DataType, target: pa.DataType, column: str, sql: str) -> None:
    """Refuse what Arrow would cast although the meaning changes."""
    stamps = pa.types.is_timestamp(arrow) and pa.types.is_timestamp(target)
    if stamps and (arrow.tz is None) != (target.tz is None):
        has, lacks = ("a zone", "none") if arrow.tz else ("no zone", "one")
        what = f"column '{column}': the times have {has}, the column ({sql}) has {lacks}"
        raise StoreError(what, hint="convert it in a transformer: .dt.tz_convert / .dt.tz_localize")


def _lossless(array: Any, target: pa.DataType) -> Any:
    source = array.type
    if pa.types.is_nested(source) and _is_text(target):
        return pa.array([None if v is None else json_text(v) for v in array.to_pylist(maps_as_pydicts="lossy")], target)
    if _is_subsecond(source) and source.unit == "ns":
        array = array.cast(pa.time64("us") if pa.types.is_time(source) else pa.timestamp("us", source.tz), safe=False)
        source = array.type
    result = _cast(array, target)
    if _may_lose(source, target) and not _same(array, _cast(result, source)):
        raise pa.ArrowInvalid("values would change")
    return result


def _cast(array: Any, target: pa.DataType) -> Any:
    source = array.type
    if pa.types.is_boolean(source) and pa.types.is_decimal(target):
        array = array.cast(pa.int8())
    if pa.types.is_integer(source) and pa.types.is_decimal(target):
        wide = pa.decimal128(20, 0) if pa.types.is_uint64(source) else pa.decimal128(19, 0)
        array = array.cast(wide)
    if source == pa.float16():
        array, source = array.cast(pa.float32()), pa.float32()
    kinds = {pa.types.is_decimal: pa.types.is_floating, pa.types.is_floating: pa.types.is_decimal}
    if any(one(source) and other(target) for one, other in kinds.items()):
        array = _digits(array)  # Arrow's own cast of these is not exact: 3.000 becomes 3.0000002
    if pa.types.is_decimal(target) and _is_text(array.type):
        _refuse_wrapping(array)
    return array.cast(target)


def _refuse_wrapping(texts: Any) -> None:
    """Arrow takes texts of more digits than a decimal can have, and makes other numbers of them."""
    digits = pc.replace_substring_regex(texts, r"^[\s+-]*0*|[^0-9]", "")
    if (pc.max(pc.utf8_length(digits)).as_py() or 0) > _DECIMAL_DIGITS:
        raise pa.ArrowInvalid(f"more than {_DECIMAL_DIGITS} digits")


def _digits(array: Any) -> Any:
    """The numbers as texts: whole ones exactly, others by the fewest digits that tell them from their neighbours.

    The fewest digits of 44157288 among floats of 32 bits are those of 44157290.
    """
    texts = array.cast(pa.string())
    if not pa.types.is_floating(array.type):
        return texts
    whole = pc.and_(pc.is_finite(array), pc.equal(pc.floor(array), array))
    small = pc.and_(whole, pc.less(pc.abs(array), 2.0**63))
    exact = pc.if_else(small, array, None).cast(pa.float64()).cast(pa.int64()).cast(pa.string())
    texts = pc.if_else(small, exact, texts)
    if pc.any(pc.and_not(whole, small)).as_py():
        values = zip(array.to_pylist(), whole.to_pylist(), texts.to_pylist(), strict=True)
        texts = pa.array([str(int(value)) if is_whole else text for value, is_whole, text in values], pa.string())
    return texts


def _may_lose(source: pa.DataType, target: pa.DataType) -> bool:
    """Pairs that Arrow casts without a word although a value may change."""
    types = pa.types
    return (
        (types.is_floating(source) and types.is_floating(target) and target.bit_width < source.bit_width)
        or (types.is_decimal(source) and types.is_floating(target))
        or (types.is_floating(source) and types.is_decimal(target))
        or (types.is_timestamp(source) and types.is_date(target))
        or (types.is_date64(source) and types.is_date32(target))
        or (types.is_boolean(target) and not types.is_boolean(source) and not _is_text(source))
    )


def _same(one: Any, other: Any) -> bool:
    equal = pc.equal(one, other)
    if pa.types.is_floating(one.type):
        equal = pc.or_(equal, pc.and_(pc.is_nan(one), pc.is_nan(other)))
    return pc.all(equal, min_count=0).as_py() is not False


def _is_text(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_string(arrow) or pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow))


def _is_subsecond(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(arrow) or pa.types.is_time(arrow))


def _refusal(array: Any, target: pa.DataType, column: str, sql: str, first_row: int) -> StoreError:
    place = first_failing(len(array), lambda start, end: _fits(array[start:end], target))
    value = None if place is None else array[place].as_py()
    if place is None or value is None:  # not even a null can be cast
        return StoreError(f"column '{column}': {array.type} cannot become {sql}", hint="cast it in a transformer")
    what = f"column '{column}': {value!r:.80} in row {first_row + place:,} does not fit {sql} without loss"
    return StoreError(what, hint=f"the rows come as {array.type}: change or cast the column in a transformer")


def _fits(part: Any, target: pa.DataType) -> bool:
    try:
        _lossless(part, target)
    except _REFUSALS:
        return False
    return True


def first_failing(length: int, passes: Callable[[int, int], bool]) -> int | None:
    """The first index whose part fails, found by halving; None if a single value never fails by itself."""
    start, end = 0, length
    while end - start > 1:
        middle = (start + end) // 2
        if passes(start, middle):
            start = middle
        else:
            end = middle
    return start if end > start and not passes(start, end) else None

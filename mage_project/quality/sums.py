"""Sums of arrays that neither wrap round nor lose cents, as Arrow's own do: those are 64 or 128 bits, or doubles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LOW = (1 << 32) - 1
#: Digits of decimal256, less those that 10**10 rows can add.
_DECIMAL_DIGITS = 66
#: Digits enough for any sum of Arrow's decimals.
_EXACT = Context(prec=200)


def exact(column: Any) -> int | Decimal:
    """The sum of whole numbers or decimals; nulls add nothing."""
    if pa.types.is_decimal(column.type):
        return _of_decimals(column)
    found = pc.min_max(column)
    if max(-(found["min"].as_py() or 0), found["max"].as_py() or 0) * len(column) <= 2**63 - 1:
        return int(pc.sum(column).as_py() or 0)
    low = pc.sum(pc.bit_wise_and(column, pa.scalar(_LOW, column.type))).as_py()
    return int((pc.sum(pc.shift_right(column, pa.scalar(32, column.type))).as_py() << 32) + low)


def of_floats(column: Any) -> list[float]:
    """The sum of a column as two doubles, the second of which is what the first leaves out.

    Pairs are added, again and again, and what rounding takes off them is kept.
    """
    values = column.drop_null().cast(pa.float64()).to_numpy()
    if not np.isfinite(values).all():
        return [float(values.sum())]
    rest: list[float] = []
    with np.errstate(all="ignore"):  # what overflows is seen below
        while len(values) > 64:
            if len(values) % 2:
                rest.append(values[-1])
            half = len(values) // 2
            one, other = values[:half], values[half : 2 * half]
            values = one + other
            second = values - one
            rest.append(((one - (values - second)) + (other - second)).sum())
    parts = [*values, *rest]
    if not np.isfinite(parts).all():
        return [float(values.sum())]
    high = total(parts)
    return [high, total([*parts, -high])] if math.isfinite(high) else [high]


def add(one: int | Decimal, other: int | Decimal) -> int | Decimal:
    """Their sum with all its digits; Python's decimals have 28 by default."""
    return one + other if isinstance(one, int) and isinstance(other, int) else _EXACT.add(Decimal(one), other)


def total(parts: Iterable[float | int | Decimal]) -> float:
    """The sum of all parts, rounded once. Infinities give what doubles give."""
    floats = [float(part) for part in parts]
    try:
        return math.fsum(floats)
    except (ValueError, OverflowError):
        return sum(floats)


def _of_decimals(column: Any) -> Decimal:
    kind = column.type
    if kind.precision <= _DECIMAL_DIGITS:
        return pc.sum(column.cast(pa.decimal256(76, kind.scale))).as_py() or Decimal(0)
    found = Decimal(0)
    for value in column.drop_null().to_pylist():
        found = _EXACT.add(found, value)
    return found

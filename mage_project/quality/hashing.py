"""Hashes of keys: 64 bits for each row, without a collision where the key is one whole number or time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Odd, so that multiplying by it can be undone: Knuth's multiplicative hash with the golden ratio of 2^64.
_FACTOR = 0x9E3779B97F4A7C15
_INVERSE = pow(_FACTOR, -1, 1 << 64)

Hashes = Any  # numpy arrays of uint64


def is_exact(kinds: Sequence[pa.DataType]) -> bool:
    """Whether equal hashes mean equal keys."""
    return len(kinds) == 1 and _is_whole(kinds[0])


def hashes(columns: Sequence[pa.Array]) -> Hashes:
    """One hash for each row; no column may have nulls."""
    mixed = _bits(columns[0]) * np.uint64(_FACTOR)
    for column in columns[1:]:
        mixed ^= mixed >> np.uint64(32)
        mixed = (mixed ^ _bits(column)) * np.uint64(_FACTOR)
    return mixed


def undone(hashed: Hashes, kind: pa.DataType) -> pa.Array:
    """The keys of one column whose hashes are exact."""
    whole = (hashed * np.uint64(_INVERSE)).view(np.int64)
    if pa.types.is_uint64(kind):
        return pa.array(whole.view(np.uint64))
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pa.array(whole).cast(kind)
    return pa.array(whole).cast(pa.int32()).view(kind) if kind.bit_width == 32 else pa.array(whole).view(kind)


def _is_whole(kind: pa.DataType) -> bool:
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return True
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind))


def _bits(column: pa.Array) -> Hashes:
    """What tells one value of the column from another, as whole numbers."""
    kind = column.type
    if pa.types.is_float64(kind) or pa.types.is_float32(kind):
        return column.cast(pa.float64()).to_numpy(zero_copy_only=False).view(np.uint64)
    if not _is_whole(kind):
        return _texts(column)
    if pa.types.is_uint64(kind):
        return column.to_numpy(zero_copy_only=False)
    if pa.types.is_temporal(kind):
        column = column.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    return column.cast(pa.int64()).to_numpy(zero_copy_only=False).view(np.uint64)


def _texts(column: pa.Array) -> Hashes:
    """Each different text is hashed once."""
    from pandas.util import hash_array

    encoded = pc.dictionary_encode(column)
    different = np.array(encoded.dictionary.to_pylist(), dtype=object)
    if not all(isinstance(each, (str, bytes)) for each in different):
        different = np.array([str(each) for each in different], dtype=object)
    hashed = hash_array(different, categorize=False)
    return hashed[encoded.indices.to_numpy(zero_copy_only=False)]

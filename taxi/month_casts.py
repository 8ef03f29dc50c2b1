"""Giving a column the type that it has in the months that are there, where no value of it changes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from taxi.casts import REFUSALS, cast, first_refused
from taxi.kinds import NUMBER, WORDS, family


def fitted(frame: pd.DataFrame, kinds: Mapping[str, pa.DataType], where: str) -> pd.DataFrame:
    """The frame with the columns named in `kinds` as those types. `where` begins messages.

    Raises ValueError, naming the column and the value, where one would not stay the same.
    """
    columns = {name: _fitted(pa.array(frame[name]), kind, f"{where}: column {name}") for name, kind in kinds.items()}
    return frame.assign(
        **{
            name: pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([column])), frame.index)
            for name, column in columns.items()
        }
    )


def _fitted(array: pa.Array | pa.ChunkedArray, kind: pa.DataType, what: str) -> pa.Array:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    try:
        return _exact(array, kind)
    except REFUSALS:
        place = min(first_refused(len(array), lambda count: _exact(array[:count], kind)), len(array) - 1)
        raise ValueError(
            f"{what} is {array.type}, and {kind} in the months that are there, which does not hold "
            f"{str(array[place].as_py())!r:.80}. Nothing was changed: let a transformer cast it, or leave it out "
            "(contract: {unknown: discard})"
        ) from None


def _exact(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The values as `kind`. Raises one of REFUSALS where they are not the same when they are cast back."""
    if array.null_count == len(array):
        return pa.nulls(len(array), kind)
    if not {family(array.type), family(kind)} <= {NUMBER, WORDS}:
        raise pa.ArrowTypeError(f"{array.type} is no {kind}")
    result = cast(array, kind)
    if not cast(result, array.type).equals(array):
        raise pa.ArrowInvalid("a value would be another one")
    return result

"""What passes between blocks: how many rows it has, and a copy of it for each reader."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import pandas as pd

#: Values that nobody can change, so that every reader may have the same one.
_IMMUTABLE = (str, bytes, int, float, complex, bool, type(None), frozenset)


def is_frame(value: Any) -> TypeGuard[pd.DataFrame]:
    """Whether the value is a pandas DataFrame, without importing pandas for those who have none."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def rows(value: Any) -> int | None:
    """The number of rows of a frame, table or list; None for what is not counted in rows."""
    if value is None or isinstance(value, (str, bytes, dict)):
        return None
    count = getattr(value, "num_rows", None)
    if isinstance(count, int):
        return count
    return len(value) if is_frame(value) or isinstance(value, list) else None


def total_rows(values: Sequence[Any]) -> int | None:
    counts = [count for count in map(rows, values) if count is not None]
    return sum(counts) if counts else None


def for_reader(value: Any) -> Any:
    """The value as one reader may have it: what the reader changes, no other reader sees.

    Frames are copied lazily (pandas' copy-on-write), other values deeply; what cannot be copied is shared.
    """
    if isinstance(value, _IMMUTABLE) or hasattr(value, "num_rows"):
        return value
    if is_frame(value):
        return _isolated(value)
    try:
        return copy.deepcopy(value)
    except (TypeError, copy.Error):
        return value


def _isolated(frame: pd.DataFrame) -> pd.DataFrame:
    """A lazy copy; columns of Python objects (which copy-on-write cannot protect) are copied deeply."""
    mine = frame.copy(deep=False)
    for place, dtype in enumerate(frame.dtypes):
        column = frame.iloc[:, place]
        if (
            not hasattr(dtype, "pyarrow_dtype")
            and dtype.kind == "O"
            and any(isinstance(cell, (list, dict, set)) for cell in column.head(100))
        ):
            mine.isetitem(place, column.map(copy.deepcopy).array)
    return mine


def take_dropped(value: Any) -> dict[str, int]:
    """The reasons a transformer gives in `frame.attrs['dropped']` ({reason: rows}), taken off the frame."""
    if not is_frame(value):
        return {}
    reasons = value.attrs.pop("dropped", None)
    return {str(reason): int(count) for reason, count in reasons.items()} if isinstance(reasons, dict) else {}


def gathered(batches: list[Any]) -> Any:
    """All batches of a stream as one frame (None for a stream without batches)."""
    if len(batches) <= 1:
        return batches[0] if batches else None
    import pandas as pd

    attrs = batches[0].attrs
    for batch in batches:
        batch.attrs = {}
    whole = pd.concat(batches, ignore_index=True)
    whole.attrs = attrs
    return whole

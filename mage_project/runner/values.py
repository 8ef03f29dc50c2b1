"""What passes between blocks: how many rows it has, and a copy of it for each reader."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeGuard

from mage_project.runner.reasons import Reasons, reasons_of

if TYPE_CHECKING:
    import pandas as pd

#: Values that nobody can change, so that every reader may have the same one.
_IMMUTABLE = (str, bytes, int, float, complex, bool, type(None), frozenset)


@cache
def _unchangeable() -> frozenset[type]:
    from datetime import date, datetime, time, timedelta
    from decimal import Decimal
    from uuid import UUID

    return frozenset((*_IMMUTABLE, date, datetime, time, timedelta, Decimal, UUID))


def is_frame(value: Any) -> TypeGuard[pd.DataFrame]:
    """Whether the value is a pandas DataFrame, without importing pandas for those who have none.

    It has no such class yet while a block beside this one imports it.
    """
    frame = getattr(sys.modules.get("pandas"), "DataFrame", None)
    return frame is not None and isinstance(value, frame)


def rows(value: Any) -> int | None:
    """The number of rows of a frame, table or list; None for what is not counted in rows, and for no output."""
    if value is None or isinstance(value, (str, bytes, dict)):
        return None
    count = getattr(value, "num_rows", None)
    if isinstance(count, int):
        return count
    if isinstance(value, list):
        return len(value) or None
    return len(value) if is_frame(value) else None


def total_rows(values: Sequence[Any]) -> int | None:
    counts = [count for count in map(rows, values) if count is not None]
    return sum(counts) if counts else None


def size(value: Any) -> int | None:
    """The bytes that a frame or a table takes in memory, without what Python objects in it point to; else None."""
    if is_frame(value):
        # What pandas itself adds up in `memory_usage`, without the Series that makes it ten times as slow.
        return int(sum(array.nbytes for array in value._mgr.arrays))
    count = getattr(value, "nbytes", None)
    return count if isinstance(count, int) else None


def total_size(values: Sequence[Any]) -> int | None:
    sizes = [count for count in map(size, values) if count is not None]
    return sum(sizes) if sizes else None


def outputs(returned: Any) -> list[Any]:
    """What a block returned as the list of its outputs: a tuple or a list is several, None is none."""
    if returned is None:
        return []
    return list(returned) if isinstance(returned, (tuple, list)) else [returned]


def handed_on(returned: Any) -> Any:
    """What a block returned as its readers get it: the output itself where there is one, else the list of them."""
    every = outputs(returned)
    return every[0] if len(every) == 1 else every


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
        # Looking at a column costs more than the rest of this function, so only where it may matter.
        if not hasattr(dtype, "pyarrow_dtype") and dtype.kind == "O":
            column = frame.iloc[:, place]
            if not set(map(type, column.array)) <= _unchangeable():
                mine.isetitem(place, column.map(copy.deepcopy).array)
    return mine


def take_explanation(value: Any) -> dict[str, Reasons]:
    """What a block says of rows it dropped, and of rows it changed, in the attrs of a frame; taken off the frame."""
    said = value.attrs if is_frame(value) else {}
    return {word: reasons_of(said.pop(word, None)) for word in ("dropped", "changed")}


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

"""Counts of a column's values: exact up to so many different ones, then of the frequent ones only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Different values that are counted one by one. The prices, distances and ids of a month fit.
CAPACITY = 50_000
#: Hashes that are kept to estimate how many values there are: the standard error is 1/√KEPT_HASHES, here 2 %.
KEPT_HASHES = 2_048


class Tally:
    """How often each value was seen.

    Above `capacity` the rarer half is forgotten, again and again. Then `is_exact` is False, the number of distinct
    values is an estimate, and each count is at most `shortfall` too low.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.shortfall = 0
        self._counted: Any = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._hashes: Any = None

    @property
    def is_exact(self) -> bool:
        return self._hashes is None

    def add(self, array: Any) -> None:
        """Count the values of an Arrow array without nulls."""
        seen = array.value_counts()
        if self._hashes is not None:
            self._remember(seen.field("values"))
        self._waiting.append(pa.table({"value": seen.field("values"), "rows": seen.field("counts")}))
        self._waiting_rows += len(seen)
        if self._waiting_rows > self.capacity:
            self._compact()

    def distinct(self) -> int:
        """How many different values there were; an estimate when the tally is not exact."""
        self._compact()
        if self._hashes is None:
            return 0 if self._counted is None else len(self._counted)
        # The smallest k of n evenly spread hashes reach as far as k/n of their range.
        return int((KEPT_HASHES - 1) / (float(self._hashes[-1]) / 2.0**64))

    def values(self) -> tuple[Any, Any]:
        """The values (an Arrow array) and how often each was seen (numpy), the most frequent first."""
        self._compact()
        if self._counted is None:
            return pa.array([]), np.zeros(0, np.int64)
        order = [("rows", "descending"), ("value", "ascending")]
        table = self._counted.sort_by(order).combine_chunks()
        return table["value"].combine_chunks(), table["rows"].to_numpy()

    def _compact(self) -> None:
        if not self._waiting:
            return
        parts = self._waiting if self._counted is None else [self._counted, *self._waiting]
        together = pa.concat_tables(parts).group_by("value", use_threads=False).aggregate([("rows", "sum")])
        self._counted = together.rename_columns({"rows_sum": "rows"})
        self._waiting, self._waiting_rows = [], 0
        if len(self._counted) > self.capacity:
            self._forget()

    def _forget(self) -> None:
        if self._hashes is None:
            self._remember(self._counted["value"].combine_chunks())
        by_rows = self._counted.take(pc.sort_indices(self._counted["rows"], sort_keys=[("", "descending")]))
        kept = self.capacity // 2
        self.shortfall += by_rows["rows"][kept].as_py()
        self._counted = by_rows.slice(0, kept).combine_chunks()

    def _remember(self, values: Any) -> None:
        known = np.zeros(0, np.uint64) if self._hashes is None else self._hashes
        self._hashes = np.unique(np.concatenate([known, _hashes(values)]))[:KEPT_HASHES]


def _hashes(values: Any) -> Any:
    from pandas.util import hash_array

    plain = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    texts = values if plain else values.cast(pa.string())
    return hash_array(texts.to_numpy(zero_copy_only=False), categorize=False)

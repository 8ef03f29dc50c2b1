"""The rows that checks look at: one batch, its columns as Arrow arrays in which NaN is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mage_project.io import frames


class Rows:
    """One batch. Columns are turned into arrays when a check asks for them, once, without a copy where possible."""

    def __init__(self, batch: Any, masks: Mapping[str, pa.BooleanArray] | None = None) -> None:
        """`batch`: a frame as `io.frames` takes one. `masks`: by SQL, the rows for which it is true."""
        if _is_pandas(batch):
            batch = batch.copy(deep=False)
            batch.attrs = {}  # pandas copies them deeply for every column that is looked at
        self._batch = batch
        self._columns: dict[str, pa.Array] = {}
        self._extents: dict[str, tuple[Any, Any]] = {}
        self.masks: Mapping[str, pa.BooleanArray] = masks or {}

    @cached_property
    def whole(self) -> pa.Table:
        """All columns."""
        return next(frames.tables(self._batch))

    @cached_property
    def names(self) -> list[str]:
        return [str(name) for name in (self._batch.columns if _is_pandas(self._batch) else self.whole.column_names)]

    def __len__(self) -> int:
        return len(self._batch) if _is_pandas(self._batch) else self.whole.num_rows

    def column(self, name: str) -> pa.Array:
        if name not in self._columns:
            self._columns[name] = _clean(self._raw(name))
        return self._columns[name]

    def extent(self, name: str) -> tuple[Any, Any]:
        """The smallest and the largest value of a column, (None, None) if all are null."""
        if name not in self._extents:
            self._extents[name] = _extent(self.column(name))
        return self._extents[name]

    def some(self, mask: pa.BooleanArray, most: int) -> pa.Table:
        """The first `most` of the rows for which the mask is true."""
        return _told_apart(self.whole.take(pc.indices_nonzero(mask)[:most]))

    def _raw(self, name: str) -> Any:
        if not _is_pandas(self._batch):
            return self.whole.column(name)
        label = self._batch.columns[self.names.index(name)]  # which need not be text
        series = self._batch[label]
        if hasattr(series.dtype, "pyarrow_dtype"):
            return series.array.__arrow_array__()
        return next(frames.tables(series.to_frame())).column(0)


def together(parts: Sequence[pa.Table]) -> pa.Table | None:
    """Tables of batches whose types may differ where one of them was all null."""
    return pa.concat_tables(parts, promote_options="permissive") if parts else None


def _told_apart(table: pa.Table) -> pa.Table:
    """The table with `a, a #2` for columns `a, a`: what is kept of rows goes into files and needs single names."""
    names: list[str] = []
    for name in table.column_names:
        again, number = name, 2
        while again in names:
            again, number = f"{name} #{number}", number + 1
        names.append(again)
    return table if names == table.column_names else table.rename_columns(names)


def _is_pandas(batch: Any) -> bool:
    return hasattr(batch, "iloc")


def _clean(column: Any) -> pa.Array:
    """One array, decoded, with null for NaN."""
    array = column
    if isinstance(array, pa.ChunkedArray):  # one chunk is taken as it is: combining copies it
        array = (
            array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays(array.chunks or [pa.array([], array.type)])
        )
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type) and _has_nan(array):
        return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array


def _has_nan(array: pa.Array) -> bool:
    if array.null_count:
        return bool(pc.any(pc.is_nan(array)).as_py())
    values = array.to_numpy()
    with np.errstate(all="ignore"):  # a sum is half the work of looking at each; infinities only make it look twice
        return bool(np.isnan(values.sum())) and bool(np.isnan(values).any())


def _extent(array: pa.Array) -> tuple[Any, Any]:
    if array.null_count == len(array):
        return None, None
    if pa.types.is_floating(array.type) and not array.null_count:  # numpy is four times as fast here
        values = array.to_numpy()
        return values.min().item(), values.max().item()
    found = pc.min_max(array)
    return found["min"].as_py(), found["max"].as_py()

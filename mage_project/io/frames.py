"""Turns what a block exports (a frame, records, or an iterator of frames) into Arrow tables."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from mage_project.errors import StoreError
from mage_project.io.casting import first_failing
from mage_project.io.ddl import any_numeric
from mage_project.io.jsontext import json_text

#: What Arrow raises for objects that it makes no array of: its own errors are kinds of Python's.
_REFUSALS = (TypeError, ValueError, NotImplementedError)

Rename = Callable[[Iterable[object]], list[str]]


def tables(data: Any, *, index: bool = False, rename: Rename | None = None) -> Iterator[pa.Table]:
    """Each frame of `data` as a table, its columns named by `rename`. An iterator of frames is never gathered.

    `data`: a pandas DataFrame, an Arrow table or anything that offers itself as one (polars), a dict (one row), a
    list of dicts, or an iterable of those. Raises StoreError for anything else.
    """
    for frame in frames(data):
        yield _renamed(_table(frame, index=index), rename)


def frames(data: Any) -> Iterator[Any]:
    """The frames of `data`: itself, or its items."""
    single = _single(data)
    if single is not None:
        yield single
        return
    if isinstance(data, str | bytes) or not isinstance(data, Iterable):
        raise _not_a_frame(data)
    for item in data:
        frame = _single(item)
        if frame is None:
            raise _not_a_frame(item)
        yield frame


def is_frame(data: Any) -> bool:
    """Whether `data` is one frame, rather than an iterator of frames."""
    return _single(data) is not None


def _not_a_frame(data: Any) -> StoreError:
    hint = "export a DataFrame, or an iterator of DataFrames"
    return StoreError(f"a {type(data).__name__} cannot be exported", hint=hint)


def _single(data: Any) -> Any:
    """`data` as one frame, None if it is no frame by itself."""
    import pandas as pd

    if isinstance(data, pd.DataFrame | pa.Table | pa.RecordBatch):
        return data
    if isinstance(data, Mapping):
        return pd.DataFrame([dict(data)])
    if isinstance(data, list) and (not data or isinstance(data[0], Mapping | list | tuple)):
        return pd.DataFrame(data)
    if hasattr(data, "__arrow_c_stream__") and not isinstance(data, pa.RecordBatchReader):
        return pa.table(data)
    return None


def _table(frame: Any, *, index: bool) -> pa.Table:
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if isinstance(frame, pa.Table):
        return frame
    frame = frame.reset_index() if index else frame.copy(deep=False)
    frame.attrs = {}  # pandas copies them deeply for every column that is looked at
    fields, columns = [], []
    for place, name in enumerate(frame.columns):
        field, column = _column(str(name), frame.iloc[:, place])
        fields.append(field)
        columns.append(column)
    if not columns:
        return pa.table({})
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _renamed(table: pa.Table, rename: Rename | None) -> pa.Table:
    if table.num_columns == 0:
        raise StoreError("a frame has no columns", hint="does a transformer drop them all?")
    return table if rename is None else table.rename_columns(rename(table.column_names))


def _column(name: str, series: Any) -> tuple[pa.Field, Any]:
    if series.dtype == object:
        return _objects(name, series)
    try:
        array = pa.array(series, from_pandas=True)
    except _REFUSALS:
        return _objects(name, series.astype(object))
    return pa.field(name, array.type), array


def _objects(name: str, series: Any) -> tuple[pa.Field, Any]:
    """A column of Python objects: what all of them are, JSON if all are dicts and lists, otherwise text."""
    values = series.to_list()
    present = series.notna().to_list()
    kinds = {type(value) for value, is_there in zip(values, present, strict=True) if is_there}
    if kinds and all(_is_container(kind) for kind in kinds):
        texts = [json_text(value) if is_there else None for value, is_there in zip(values, present, strict=True)]
        array = _texts(name, texts)
        return pa.field(name, pa.json_(pa.large_string())), pa.ExtensionArray.from_storage(
            pa.json_(pa.large_string()), array
        )
    array = _inferred(values, present, kinds)
    if array is None:
        array = _texts(name, [_text(v) if is_there else None for v, is_there in zip(values, present, strict=True)])
    if pa.types.is_decimal(array.type):
        return any_numeric(name, array.type), array
    return pa.field(name, array.type), array


def _is_container(kind: type) -> bool:
    return issubclass(kind, dict | list | tuple | set | frozenset) or kind.__name__ == "ndarray"


def _inferred(values: list[Any], present: list[bool], kinds: set[type]) -> Any:
    """The array that Arrow makes of the objects, None where it cannot, or would turn one kind into another."""
    clean = [value if is_there else None for value, is_there in zip(values, present, strict=True)]
    if bool in kinds and len(kinds) > 1:
        return None
    try:
        array = pa.array(clean)
    except (OverflowError, *_REFUSALS):
        return _big_integers(clean, kinds)
    if pa.types.is_nested(array.type) or isinstance(array, pa.ExtensionArray) or array.type == pa.decimal256(39):
        return None
    return array if _is_scalar(array.type) else None


def _is_scalar(arrow: pa.DataType) -> bool:
    return not (pa.types.is_decimal(arrow) and arrow.precision > 38)


def _big_integers(values: list[Any], kinds: set[type]) -> Any:
    if kinds != {int}:
        return None
    try:
        return pa.array([None if value is None else decimal.Decimal(value) for value in values])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json_text(value) if _is_container(type(value)) else str(value)


def _texts(name: str, texts: list[str | None]) -> Any:
    try:
        return pa.array(texts, pa.large_string())
    except (UnicodeError, pa.ArrowInvalid) as error:
        place = first_failing(len(texts), lambda start, end: _is_encodable(texts[start:end])) or 0
        what = f"column '{name}': the text in row {place + 1:,} of its frame is not valid Unicode"
        raise StoreError(what, hint="it has half a surrogate pair: decode it with errors='replace'") from error


def _is_encodable(texts: list[str | None]) -> bool:
    try:
        "".join(text or "" for text in texts).encode()
    except UnicodeError:
        return False
    return True

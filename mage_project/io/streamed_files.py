"""Iterators of frames written to a file batch by batch, so that memory holds one batch at a time."""

from __future__ import annotations

import io
import lzma
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mage_project.errors import StoreError
from mage_project.io.casting import cast
from mage_project.io.frames import frames, tables

Options = dict[str, Any]


def write_csv(data: Iterable[Any], path: Path, options: Options) -> int:
    """A CSV file with one header. `options` are those of `DataFrame.to_csv`."""
    rows, header = 0, options.pop("header", True)
    with _opened(path, options) as file:
        for frame in _numbered(data):
            frame.to_csv(file, header=header, **options)
            rows, header = rows + len(frame), False
    return rows


def write_ndjson(data: Iterable[Any], path: Path, options: Options) -> int:
    """A JSON object on each line. `options` are those of `DataFrame.to_json`."""
    rows = 0
    with _opened(path, options) as file:
        for frame in _numbered(data):
            file.write(frame.to_json(**{**options, "orient": "records", "lines": True}))
            rows += len(frame)
    return rows


def write_json(data: Iterable[Any], path: Path, options: Options) -> int:
    """One JSON array of records, which pandas reads like any other JSON."""
    orient = options.setdefault("orient", "records")
    if orient != "records":
        raise StoreError(f"a stream cannot be written as JSON with orient='{orient}'", hint="use orient='records'")
    rows = 0
    with _opened(path, options) as file:
        file.write("[")
        for frame in _numbered(data):
            records = str(frame.to_json(**options))[1:-1]
            file.write("," + records if rows and records else records)
            rows += len(frame)
        file.write("]")
    return rows


def write_parquet(data: Iterable[Any], path: Path, options: Options) -> int:
    """A Parquet file whose types are those of the first frame that has rows. `options`: `ParquetWriter`'s."""
    options.pop("index", None)
    rows = 0
    schema: pa.Schema | None = None
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for table in known_first(tables(data)):
            if writer is None or schema is None:
                schema = pa.schema([_stored(field) for field in table.schema])
                writer = stack.enter_context(pq.ParquetWriter(path, schema, **options))
            writer.write_table(conformed(table, schema, rows + 1))
            rows += table.num_rows
        if writer is None:
            raise StoreError("nothing came to write: without a frame the columns are unknown")
    return rows


WRITERS: dict[str, Callable[[Iterable[Any], Path, Options], int]] = {
    "csv": write_csv,
    "json": write_json,
    "ndjson": write_ndjson,
    "parquet": write_parquet,
}


def _opened(path: Path, options: Options) -> TextIO:
    compression = options.pop("compression", None)
    if compression == "xz":
        return lzma.open(path, "wt", encoding="utf-8", newline="")
    return io.TextIOWrapper(pa.output_stream(str(path), compression=compression), encoding="utf-8", newline="")


def _numbered(data: Iterable[Any]) -> Iterator[pd.DataFrame]:
    """The frames, numbered on where their index is a plain count."""
    done = 0
    for frame in frames(data):
        if not isinstance(frame, pd.DataFrame):
            frame = pa.table(frame).to_pandas(types_mapper=pd.ArrowDtype)
        if isinstance(frame.index, pd.RangeIndex):
            frame = frame.set_axis(pd.RangeIndex(done, done + len(frame)))
        done += len(frame)
        yield frame


def known_first(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The tables with rows; the first one of all where none has any."""
    empty = None
    has_rows = False
    for table in batches:
        if table.num_rows:
            has_rows = True
            yield table
        elif empty is None:
            empty = table
    if empty is not None and not has_rows:
        yield empty


def _stored(field: pa.Field) -> pa.Field:
    """The field as it is written: times to the microsecond, and texts where no type is known."""
    arrow = field.type
    if isinstance(arrow, pa.BaseExtensionType):
        arrow = arrow.storage_type
    if pa.types.is_null(arrow):
        arrow = pa.string()
    if pa.types.is_timestamp(arrow) and arrow.unit == "ns":
        arrow = pa.timestamp("us", arrow.tz)
    return pa.field(field.name, arrow)


def conformed(table: pa.Table, schema: pa.Schema, first_row: int) -> pa.Table:
    """The table with the schema's columns and types; its first row is the stream's `first_row`.

    Raises StoreError where a column is missing or too much, or a value does not fit without loss.
    """
    odd = set(table.column_names) ^ set(schema.names)
    if odd:
        some = ", ".join(f"'{name}'" for name in sorted(odd))
        raise StoreError(f"the frames of the stream differ in their columns: {some}")
    columns = [
        cast(_whole(table.column(field.name)), field.type, column=field.name, sql=str(field.type), first_row=first_row)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _whole(chunked: Any) -> Any:
    return chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()

"""Exports to a DuckDB table: replace, append and fail, each whole or not at all."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mage_project.errors import StoreError, did_you_mean
from mage_project.io import frames
from mage_project.io.casting import cast
from mage_project.io.options import Options

if TYPE_CHECKING:
    from mage_project.io.duckdb import DuckDB
    from mage_project.io.duckdb_session import Session

log = logging.getLogger(__name__)

_ROWS = "mage_project_rows"


def quoted(*parts: str) -> str:
    """A name as SQL writes it."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def export(connector: DuckDB, schema: str, table: str, data: Any, options: Options) -> int:
    """Write the frames of `data` to the table and return the number of rows. Raises StoreError."""
    name = quoted(schema, table)
    session = connector.session
    with session.writing(f"writing {schema}.{table}"):
        existing = _existing(connector, schema, table, options)
        batches = frames.tables(data, index=options.index, rename=options.rename)
        first = next(batches, None)
        if first is None:
            hint = "let the loader give one empty frame with its columns"
            raise StoreError(f"nothing came to write to {schema}.{table}: the columns are unknown", hint=hint)
        target = pa.schema(_target(connector, name, existing, first, f"{schema}.{table}"))
        reader = pa.RecordBatchReader.from_batches(target, _batches(itertools.chain([first], batches), target))
        session.connection.register(_ROWS, reader)
        try:
            columns = ", ".join(map(quoted, target.names))
            if existing:
                session.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {_ROWS}")  # noqa: S608
            else:
                chosen = ", ".join(_column(column, options) for column in target.names)
                session.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {chosen} FROM {_ROWS}")  # noqa: S608
            rows = _rows(session)
        finally:
            session.connection.unregister(_ROWS)
    log.info("%s.%s: %s rows written", schema, table, f"{rows:,}")
    return rows


def export_query(connector: DuckDB, schema: str, table: str, query: str, options: Options) -> int:
    """Write what a SELECT gives to the table, within the database. Returns the number of rows."""
    name = quoted(schema, table)
    session = connector.session
    with session.writing(f"writing {schema}.{table}"):
        is_there = _existing(connector, schema, table, options)
        session.execute(f"INSERT INTO {name} {query}" if is_there else f"CREATE OR REPLACE TABLE {name} AS {query}")
        return _rows(session)


def _existing(connector: DuckDB, schema: str, table: str, options: Options) -> dict[str, str]:
    """The columns of a table that rows are to be appended to. The schema is made where it is not there."""
    connector.session.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    columns = connector.columns(schema, table)
    if columns and options.if_exists == "fail":
        raise StoreError(f"table {schema}.{table} already exists", hint="pass if_exists='replace' or 'append'")
    return columns if options.if_exists == "append" else {}


def _target(connector: DuckDB, name: str, existing: dict[str, str], first: pa.Table, shown: str) -> Iterable[pa.Field]:
    """The columns as Arrow types them: those of the table that is there, else those of the rows."""
    if not existing:
        return [pa.field(field.name, _plain(field.type)) for field in first.schema]
    there = connector.session.connection.sql(f"SELECT * FROM {name} LIMIT 0").to_arrow_table().schema  # noqa: S608
    for column in first.schema.names:
        if column not in there.names:
            has = ", ".join(there.names)
            what = f"{shown} has no column '{column}' (it has {has}).{did_you_mean(column, there.names)}"
            raise StoreError(what, hint="drop or rename it in a transformer, or pass if_exists='replace'")
    return [there.field(column) for column in first.schema.names]


def _plain(arrow: pa.DataType) -> pa.DataType:
    return arrow.storage_type if isinstance(arrow, pa.BaseExtensionType) else arrow


def _batches(tables: Iterable[pa.Table], target: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows with the target's types. Raises StoreError for a value that does not fit without loss."""
    done = 0
    for table in tables:
        odd = set(table.column_names) ^ set(target.names)
        if odd:
            some = ", ".join(f"'{name}'" for name in sorted(odd))
            hint = "every frame of a stream has the same columns"
            raise StoreError(f"the frames of the stream differ in their columns: {some}", hint=hint)
        arrays = [_cast(table.column(field.name), field, done) for field in target]
        yield from pa.Table.from_arrays(arrays, schema=target).to_batches()
        done += table.num_rows


def _cast(column: Any, field: pa.Field, done: int) -> Any:
    if column.type == field.type:
        return column
    whole = column.combine_chunks()
    whole = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    return cast(whole, field.type, column=field.name, sql=str(field.type), first_row=done + 1)


def _column(name: str, options: Options) -> str:
    wanted = options.overwrite_types.get(name)
    return f"CAST({quoted(name)} AS {wanted}) AS {quoted(name)}" if wanted else quoted(name)


def _rows(session: Session) -> int:
    """The number of rows that the last statement wrote."""
    row = session.connection.fetchone()
    return int(row[0]) if row else 0

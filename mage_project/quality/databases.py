"""Rows in a table of Postgres, streamed: COPY writes CSV into a pipe, and Arrow reads it at the other end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pyarrow as pa

from mage_project.errors import StoreError, did_you_mean
from mage_project.io.postgres import Postgres

_BLOCK_BYTES = 4 << 20
#: Arrow's types for Postgres's (format_type); anything else is read as text.
_TYPES = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}
_COLUMNS = """
    SELECT attname, format_type(atttypid, NULL), atttypmod FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


def tables(name: str, config: Any) -> Iterator[pa.Table]:
    """The rows of `schema.table`. Raises StoreError where there is no such table."""
    schema, _, table = name.rpartition(".")
    with Postgres.with_config(config) as loader, loader._telling(f"reading {name}"), loader.conn.cursor() as cursor:
        quoted = ".".join(_quoted(part) for part in (schema, table) if part)
        cursor.execute(_COLUMNS, [quoted])
        columns = {column: _type(kind, modifier) for column, kind, modifier in cursor.fetchall()}
        if not columns:
            raise _missing(cursor, name, schema)
        cursor.execute("SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 1")
        listed = ", ".join(map(_quoted, columns))
        statement = f"COPY (SELECT {listed} FROM {quoted}) TO STDOUT (FORMAT csv, HEADER)"  # noqa: S608 - quoted
        yield from _copied(cursor, statement, columns)


def _copied(cursor: Any, statement: str, columns: dict[str, pa.DataType]) -> Iterator[pa.Table]:
    """Postgres writes in a thread of its own. Who stops reading early closes the pipe, which ends it."""
    from pyarrow import csv

    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            with suppress(BrokenPipeError), os.fdopen(writing, "wb") as out:
                cursor.copy_expert(statement, out)
        except BaseException as error:  # noqa: BLE001 - it is raised again by who reads
            failed.append(error)

    thread = threading.Thread(target=write, name="COPY", daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb") as source:
            options = csv.ConvertOptions(
                column_types=columns,
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
                true_values=["t"],
                false_values=["f"],
            )
            blocks = csv.ReadOptions(block_size=_BLOCK_BYTES)
            parsing = csv.ParseOptions(newlines_in_values=True)
            for batch in csv.open_csv(source, read_options=blocks, parse_options=parsing, convert_options=options):
                yield pa.table(batch)
    except pa.ArrowException as error:
        if not failed:
            raise StoreError(f"the table holds a value that cannot be read: {error}") from error
    finally:
        thread.join()
    if failed:
        raise failed[0]


def _type(kind: str, modifier: int) -> pa.DataType:
    """`numeric(p, s)` is exact; without a precision it is read as a double."""
    if kind == "numeric":
        precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
        return pa.decimal128(precision, scale) if modifier >= 4 and precision <= 38 else pa.float64()
    return _TYPES.get(kind, pa.string())


def _missing(cursor: Any, name: str, schema: str) -> StoreError:
    cursor.execute("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = %s", [schema])
    there = sorted(row[0] for row in cursor.fetchall())
    hint = f"tables there: {', '.join(there[:10])}" if there else f"there is no table in a schema '{schema}'"
    return StoreError(f"there is no table {name}.{did_you_mean(name, there)}", hint=hint)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

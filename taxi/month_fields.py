"""The columns of a month as BigQuery's: the table's own first, then those that are new."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa
from google.cloud import bigquery

_KINDS: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_integer, "INTEGER"),
    (pa.types.is_floating, "FLOAT"),
    (lambda kind: pa.types.is_decimal128(kind) and kind.scale <= 9, "NUMERIC"),
    (pa.types.is_decimal128, "BIGNUMERIC"),
    (pa.types.is_date, "DATE"),
    (lambda kind: pa.types.is_timestamp(kind) and kind.tz is None, "DATETIME"),
    (pa.types.is_timestamp, "TIMESTAMP"),
    (lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind), "STRING"),
)
#: What is written to a Parquet file for a column of that type.
#: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions
_ARROW = {
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "NUMERIC": pa.decimal128(38, 9),
    "BIGNUMERIC": pa.decimal256(76, 38),
    "DATE": pa.date32(),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "STRING": pa.string(),
}


def fields_of(schema: pa.Schema, there: Iterable[bigquery.SchemaField], label: str) -> list[bigquery.SchemaField]:
    """The columns of a table that has the columns `there` and takes rows of the schema `schema`.

    Raises ValueError for a type that BigQuery has not, and where a column is of another type there.
    """
    found = {field.name.lower(): field for field in there}
    for column in schema:
        kind = _kind(column, label)
        field = found.setdefault(column.name.lower(), bigquery.SchemaField(column.name, kind))
        if field.field_type != kind:
            raise ValueError(
                f"{label}: column {column.name} is {kind}, and {field.field_type} in the months that are there. "
                "Nothing was changed: let the loader cast it, or leave it out (contract: {unknown: discard})"
            )
    return list(found.values())


def other_types(schema: pa.Schema, there: Iterable[bigquery.SchemaField]) -> dict[str, pa.DataType]:
    """The columns that are of another type in the table, with that type."""
    found = {field.name.lower(): field.field_type for field in there}
    kinds = {column.name: found.get(column.name.lower(), "") for column in schema}
    return {
        column.name: _ARROW[kind]
        for column in schema
        if (kind := kinds[column.name]) in _ARROW and kind not in _names(column.type)
    }


def _names(kind: pa.DataType) -> list[str]:
    """BigQuery's names of the type: one, or none."""
    return [name for is_kind, name in _KINDS if is_kind(kind)][:1]


def _kind(column: pa.Field, label: str) -> str:
    for name in _names(column.type):
        return name
    raise ValueError(f"{label}: column {column.name} is {column.type}, which is not loaded. Cast it in a transformer")


def file_schema(fields: Iterable[bigquery.SchemaField]) -> pa.Schema:
    """The columns of a Parquet file that is loaded into these."""
    return pa.schema([(field.name, _ARROW[field.field_type]) for field in fields])


def shaped(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with the columns of `schema`; what they lack is null."""
    given = {name.lower(): rows[name] for name in rows.column_names}
    columns = [
        given[field.name.lower()].cast(field.type)
        if field.name.lower() in given
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)

"""Which type of BigQuery an Arrow type becomes, and the other way round.

Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions; a time without
a zone is a DATETIME, one with a zone a TIMESTAMP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from mage_project.errors import StoreError, did_you_mean

#: The API's older names of types, and what SQL calls them.
_ALIASES = {
    "INTEGER": "INT64",
    "INT": "INT64",
    "SMALLINT": "INT64",
    "BIGINT": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
    "RECORD": "STRUCT",
}
_ARROW = {
    "INT64": pa.int64(),
    "FLOAT64": pa.float64(),
    "BOOL": pa.bool_(),
    "STRING": pa.string(),
    "BYTES": pa.binary(),
    "DATE": pa.date32(),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "TIME": pa.time64("us"),
    "NUMERIC": pa.decimal128(38, 9),
    "BIGNUMERIC": pa.decimal256(76, 38),
    "JSON": pa.string(),
}
#: A column's name: letters, digits and underscores, no digit first, at most 300 characters, and none of Google's own.
_NAME = re.compile(r"[A-Za-z_]\w{0,299}", re.ASCII)
_RESERVED = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")


def sql_type(name: str) -> str:
    """The type's name in SQL: INT64 for INTEGER. Raises StoreError for one that is unknown."""
    plain = str(name).upper().partition("(")[0].strip()
    found = _ALIASES.get(plain, plain)
    if found not in _ARROW and found != "STRUCT":
        guess = did_you_mean(plain, [*_ARROW, *_ALIASES])
        raise StoreError(f"'{name}' is no type of BigQuery that can be loaded.{guess}")
    return found


def arrow_type(sql: str) -> pa.DataType:
    """What is loaded into a column of this type."""
    return _ARROW[sql_type(sql)]


def type_of(arrow: pa.DataType) -> str:
    """The type of a column that such values are loaded into."""
    if isinstance(arrow, pa.BaseExtensionType):
        arrow = arrow.storage_type
    if pa.types.is_dictionary(arrow) or pa.types.is_run_end_encoded(arrow):
        return type_of(arrow.value_type)
    if pa.types.is_timestamp(arrow):
        return "TIMESTAMP" if arrow.tz else "DATETIME"
    if pa.types.is_decimal(arrow):
        fits = arrow.scale <= 9 and arrow.precision - arrow.scale <= 29
        return "NUMERIC" if fits else "BIGNUMERIC"
    if arrow == pa.uint64():
        return "NUMERIC"
    return next((sql for is_kind, sql in _KINDS if is_kind(arrow)), "STRING")


_KINDS: tuple[tuple[Any, str], ...] = (
    (pa.types.is_boolean, "BOOL"),
    (pa.types.is_integer, "INT64"),
    (pa.types.is_floating, "FLOAT64"),
    (pa.types.is_date, "DATE"),
    (pa.types.is_time, "TIME"),
    (pa.types.is_duration, "INT64"),
    (pa.types.is_binary, "BYTES"),
    (pa.types.is_large_binary, "BYTES"),
    (pa.types.is_fixed_size_binary, "BYTES"),
)


def fields_of(schema: pa.Schema, overwrite: Mapping[str, str]) -> list[Any]:
    """Google's SchemaFields of a table that is made for these columns; `overwrite` says the type of some."""
    from google.cloud.bigquery import SchemaField

    unknown = [name for name in overwrite if name not in schema.names]
    if unknown:
        guess = did_you_mean(unknown[0], schema.names)
        raise StoreError(f"overwrite_types names a column '{unknown[0]}' that is not there.{guess}")
    types = {f.name: sql_type(overwrite[f.name]) if f.name in overwrite else type_of(f.type) for f in schema}
    return [SchemaField(name, type_) for name, type_ in types.items()]


def column_names(names: Iterable[object]) -> list[str]:
    """The columns' names in the table: as they are, with underscores for spaces, as Mage does.

    Raises StoreError for a name that BigQuery does not take, and for two that differ only in case.
    """
    taken: dict[str, str] = {}
    for given in names:
        name = str(given).replace(" ", "_")
        if not _NAME.fullmatch(name) or name.lower().startswith(_RESERVED):
            hint = "rename it in a transformer: letters, digits and underscores, no digit first"
            raise StoreError(f"BigQuery takes no column named '{given}'", hint=hint)
        if name.lower() in taken:
            what = f"columns '{taken[name.lower()]}' and '{given}' are the same to BigQuery"
            raise StoreError(what, hint="rename one of them")
        taken[name.lower()] = name
    return list(taken.values())


def type_in_sql(field: Any) -> str:
    """The type of Google's SchemaField as SQL writes it: `ARRAY<INT64>`."""
    plain = _ALIASES.get(field.field_type, field.field_type)
    if plain == "STRUCT":
        plain = f"STRUCT<{', '.join(f'{inner.name} {type_in_sql(inner)}' for inner in field.fields)}>"
    return f"ARRAY<{plain}>" if field.mode == "REPEATED" else str(plain)

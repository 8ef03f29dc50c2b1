"""mage_ai.io.export_utils: frames on their way to a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from mage_project.mage_ai.shared.utils import clean_name


class BadConversionError(Exception):
    """A type of Python has no like in the database."""


class PandasTypes(StrEnum):
    """What `pandas.api.types.infer_dtype` says."""

    BOOLEAN = "boolean"
    BYTES = "bytes"
    CATEGORICAL = "categorical"
    COMPLEX = "complex"
    DATE = "date"
    DATETIME = "datetime"
    DATETIME64 = "datetime64"
    DECIMAL = "decimal"
    EMPTY = "empty"
    FLOATING = "floating"
    INT64 = "int64"
    INTEGER = "integer"
    MIXED = "mixed"
    MIXED_INTEGER = "mixed-integer"
    MIXED_INTEGER_FLOAT = "mixed-integer-float"
    OBJECT = "object"
    PERIOD = "period"
    STRING = "string"
    TIME = "time"
    TIMEDELTA = "timedelta"
    TIMEDELTA64 = "timedelta64"
    UNKNOWN_ARRAY = "unknown-array"


def infer_dtypes(df: Any) -> dict[str, Any]:
    """What each column's values are, as `PandasTypes` names it."""
    import pandas as pd

    if isinstance(df, pd.DataFrame):
        return {name: pd.api.types.infer_dtype(df[name], skipna=True) for name in df.columns}
    return {name: type(value) for name, value in df.items()} if isinstance(df, dict) else {}


def clean_df_for_export(df: Any, column_mapper: Callable[[Any, str], Any], dtypes: Mapping[str, str]) -> Any:
    """A copy of the frame, each column as `column_mapper(column, type)` makes it."""
    cleaned = df.copy()
    for name in list(df):
        cleaned[name] = column_mapper(cleaned[name], dtypes[name])
    return cleaned


def gen_table_creation_query(
    dtypes: Mapping[str, str],
    schema_name: str | None,
    table_name: str,
    auto_clean_name: bool = True,
    case_sensitive: bool = False,
    unique_constraints: Sequence[str] | None = None,
    overwrite_types: Mapping[str, str] | None = None,
    skip_semicolon_at_end: bool = False,
) -> str:
    """The CREATE TABLE of a table with these columns and types."""

    def cleaned(name: str) -> str:
        return clean_name(name, case_sensitive=case_sensitive) if auto_clean_name else name

    types = {**dtypes, **{name: kind for name, kind in (overwrite_types or {}).items() if name in dtypes}}
    table = f"{schema_name}.{table_name}" if schema_name else table_name
    parts = [f'"{cleaned(name)}" {kind}' for name, kind in types.items()]
    if unique_constraints:
        keys = [cleaned(name) for name in unique_constraints]
        index = "_".join([clean_name(table, case_sensitive=case_sensitive), *keys])
        quoted = ", ".join(f'"{key}"' for key in keys)
        parts.append(f"CONSTRAINT {f'unique{index}'[:64]} UNIQUE ({quoted})")
    return f"CREATE TABLE {table} ({','.join(parts)})" + ("" if skip_semicolon_at_end else ";")

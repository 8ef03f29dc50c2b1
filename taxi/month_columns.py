"""The columns of a month as those of a table in Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pyarrow as pa

from taxi.month_frames import MonthFile

#: The longest name of a column, in bytes: https://www.postgresql.org/docs/current/limits.html
NAME_BYTES = 63

_TYPES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "boolean"),
    (lambda kind: kind in {pa.int8(), pa.uint8(), pa.int16()}, "smallint"),
    (lambda kind: kind in {pa.uint16(), pa.int32()}, "integer"),
    (lambda kind: kind in {pa.uint32(), pa.int64()}, "bigint"),
    (lambda kind: kind == pa.float32(), "real"),
    (lambda kind: kind == pa.float64(), "double precision"),
    (pa.types.is_decimal128, "numeric"),  # without a precision: the next month may have another one
    (pa.types.is_date, "date"),
    (lambda kind: pa.types.is_timestamp(kind) and kind.tz is None, "timestamp without time zone"),
    (pa.types.is_timestamp, "timestamp with time zone"),
    (lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind), "text"),
)
_ARROW = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "text": pa.string(),
}


def sql_types(schema: pa.Schema) -> Mapping[str, str]:
    """The columns' SQL types, by their Arrow types. Mage itself would choose by the values of this month."""
    found = {field.name: [kind for is_kind, kind in _TYPES if is_kind(field.type)] for field in schema}
    return {name: kinds[0] for name, kinds in found.items() if kinds}


def other_types(schema: pa.Schema, there: Mapping[str, str]) -> dict[str, pa.DataType]:
    """The columns that are of another type in the table, with that type; `there` are the table's SQL types."""
    return {
        name: _ARROW[there[name]]
        for name, kind in sql_types(schema).items()
        if there.get(name, kind) != kind and there[name] in _ARROW
    }


def check_names(names: Iterable[str], file: MonthFile) -> None:
    """Raise ValueError for a name that Postgres cannot hold."""
    for name in names:
        if len(name.encode()) > NAME_BYTES:
            raise ValueError(
                f"{file}: the name of the column '{name[:80]}' is too long for Postgres, {len(name.encode())} bytes of "
                f"at most {NAME_BYTES}. Rename it in a transformer, or leave it out (contract: {{unknown: discard}})"
            )

"""Columns of tables: which SQL type an Arrow type becomes, and in which Arrow type values travel to an SQL type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mage_project.errors import StoreError

#: SQL type (without modifiers) → what its values are sent as; a text means a rule of `wire_type`.
_DIRECT: dict[str, Any] = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "date": pa.date32(),
    "time without time zone": pa.time64("us"),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "numeric": "decimal",
    "bytea": "binary",
    "text": "text",
    "character varying": "text",
    "character": "text",
    "name": "text",
    "json": "text",
    "jsonb": "text",
}
_ANY_NUMERIC = {b"mage_project.scale": b"any"}
_MODIFIER = re.compile(r"\((\d+)(?:,(-?\d+))?\)")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table. `sql` is its type as Postgres writes it, `base` the same without modifiers or domain."""

    name: str
    sql: str
    base: str

    @property
    def is_direct(self) -> bool:
        """Whether COPY can send its values as they are, rather than as text that Postgres has to cast."""
        return self.base in _DIRECT

    @property
    def is_json(self) -> bool:
        return self.base in {"json", "jsonb"}

    def wire_type(self, arriving: pa.DataType) -> pa.DataType:
        """The Arrow type in which values of the type `arriving` are sent."""
        wire = _DIRECT.get(self.base, "text")
        if wire == "decimal":
            return self._decimal(arriving)
        if wire == "binary":
            return arriving if arriving in {pa.binary(), pa.large_binary()} else pa.large_binary()
        if wire == "text":
            return arriving if arriving in {pa.string(), pa.large_string()} else pa.large_string()
        return self._fraction(wire)

    def _fraction(self, wire: pa.DataType) -> pa.DataType:
        """timestamp(0) and its like would round without a word: send no more digits than they hold."""
        modifier = _MODIFIER.search(self.sql)
        if not modifier or not (pa.types.is_timestamp(wire) or pa.types.is_time(wire)) or int(modifier[1]) > 3:
            return wire
        unit = "s" if modifier[1] == "0" else "ms"
        return pa.time32(unit) if pa.types.is_time(wire) else pa.timestamp(unit, wire.tz)

    def _decimal(self, arriving: pa.DataType) -> pa.DataType:
        modifier = _MODIFIER.search(self.sql)
        if modifier:
            precision, scale = int(modifier[1]), int(modifier[2] or 0)
            return pa.decimal128(min(precision, 38), scale)
        if pa.types.is_decimal(arriving):
            return pa.decimal128(38, arriving.scale)
        return pa.decimal128(38, 0) if pa.types.is_integer(arriving) else pa.decimal128(38, 18)


def column_of(field: pa.Field) -> Column:
    """The column for values of an Arrow type; only the type counts, never the values.

    int8, int16, uint8 → smallint; int32, uint16 → integer; int64, uint32 → bigint; uint64 → numeric(20,0); float16,
    float32 → real; float64 → double precision; text, null → text; binary → bytea; date → date; time → time;
    timestamp → timestamp, with a zone timestamptz; decimal(p,s) → numeric(p,s); list, struct, map, JSON → jsonb;
    duration → bigint nanoseconds, as in Mage; a dictionary → the type of its values.

    Raises StoreError for a type that has no counterpart.
    """
    sql = "numeric" if is_any_numeric(field) else _sql_type(field.type)
    if sql is None:
        hint = "cast the column to text, or to another type, in a transformer"
        raise StoreError(f"column '{field.name}' is of the Arrow type {field.type}, which Postgres lacks", hint=hint)
    return Column(name=field.name, sql=sql, base=_MODIFIER.sub("", sql))


def any_numeric(name: str, arrow: pa.DataType) -> pa.Field:
    """A field whose decimals have no declared scale (Python's Decimal in a column of objects): numeric."""
    return pa.field(name, arrow, metadata=_ANY_NUMERIC)


def is_any_numeric(field: pa.Field) -> bool:
    return bool(field.metadata == _ANY_NUMERIC)


def _sql_type(arrow: pa.DataType) -> str | None:
    types = pa.types
    if types.is_dictionary(arrow) or types.is_run_end_encoded(arrow):
        return _sql_type(arrow.value_type)
    if isinstance(arrow, pa.BaseExtensionType):
        return "jsonb" if arrow.extension_name == "arrow.json" else _sql_type(arrow.storage_type)
    if types.is_decimal(arrow):
        return _numeric(arrow)
    for is_kind, sql in _KINDS:
        if is_kind(arrow):
            return sql
    return None


def _numeric(arrow: pa.DataType) -> str | None:
    if arrow.precision > 38:
        return None
    if arrow.scale < 0:
        return f"numeric({arrow.precision - arrow.scale},0)"
    return f"numeric({max(arrow.precision, arrow.scale)},{arrow.scale})"


def _is_zoned(arrow: pa.DataType) -> bool:
    return pa.types.is_timestamp(arrow) and arrow.tz is not None


def _in(*kinds: pa.DataType) -> Any:
    return lambda arrow: arrow in kinds


def _any(*tests: Any) -> Any:
    return lambda arrow: any(test(arrow) for test in tests)


_KINDS = (
    (_in(pa.int8(), pa.int16(), pa.uint8()), "smallint"),
    (_in(pa.int32(), pa.uint16()), "integer"),
    (_in(pa.int64(), pa.uint32()), "bigint"),
    (_in(pa.uint64()), "numeric(20,0)"),
    (_in(pa.float16(), pa.float32()), "real"),
    (_in(pa.float64()), "double precision"),
    (_in(pa.bool_()), "boolean"),
    (_any(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null), "text"),
    (
        _any(
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
            pa.types.is_binary_view,
        ),
        "bytea",
    ),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time without time zone"),
    (_is_zoned, "timestamp with time zone"),
    (pa.types.is_timestamp, "timestamp without time zone"),
    (pa.types.is_duration, "bigint"),
    (
        _any(
            pa.types.is_list,
            pa.types.is_large_list,
            pa.types.is_fixed_size_list,
            pa.types.is_list_view,
            pa.types.is_large_list_view,
            pa.types.is_struct,
            pa.types.is_map,
        ),
        "jsonb",
    ),
)

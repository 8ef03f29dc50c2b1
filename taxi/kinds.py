"""Families of Arrow types, as far as files of trips have them."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa
from pyarrow import types

from taxi.columns import TEXT, WALL_TIME
from taxi.words import CORRECT, quoted

NULL, NUMBER, WORDS, BYTES, TIME, OTHER, NESTED = "null", "number", "words", "bytes", "time", "other", "nested"
#: What may be text: old writers of Parquet do not say of their bytes that they are.
TEXTUAL = (WORDS, BYTES)
_ARE_BYTES = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
LEAVE_OUT = f"Leave it out with contract: {{unknown: discard}}, or: {CORRECT}"


class Typed(Protocol):
    """A named column with a type."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> pa.DataType | None: ...


def plain(kind: pa.DataType) -> pa.DataType:
    """The type of the values, where the type is one of how they are stored: dictionaries, run ends."""
    while types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        kind = kind.value_type
    return kind


def family(kind: pa.DataType) -> str:
    """The family of the type. A time with a zone is OTHER: TLC's times are on the wall in New York."""
    kind = plain(kind)
    if types.is_null(kind):
        return NULL
    if types.is_integer(kind) or types.is_floating(kind):
        return NUMBER
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return WORDS
    if any(is_bytes(kind) for is_bytes in _ARE_BYTES):
        return BYTES
    if types.is_timestamp(kind) and kind.tz is None:
        return TIME
    return NESTED if types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType) else OTHER


def loadable(column: Typed, where: str) -> pa.DataType:
    """The type that an undeclared column is loaded with: its own, without what databases do not tell apart.

    A column without a type is text, and so are bytes; integers have 64 bits, as the next month may need them. Raises
    ValueError for a nested type, and for a column without a name.
    """
    if not column.name.strip():
        raise ValueError(f"{where}: there is a column without a name, which no table can have. {LEAVE_OUT}")
    if column.kind is None or family(column.kind) in TEXTUAL:
        return TEXT
    kind = plain(column.kind)
    if family(kind) == NESTED:
        raise ValueError(
            f"{where}, column {quoted(column.name)}: it is nested ({kind}), and a column of a table has single "
            f"values. {LEAVE_OUT}"
        )
    if types.is_timestamp(kind):
        return WALL_TIME if kind.tz is None else pa.timestamp("us", kind.tz)
    if types.is_integer(kind):
        return pa.int64()
    if types.is_floating(kind):
        return pa.float64()
    if types.is_date(kind):
        return pa.date32()
    if types.is_boolean(kind) or types.is_decimal128(kind):
        return kind
    raise ValueError(f"{where}, column {quoted(column.name)}: its type {kind} cannot be loaded. {LEAVE_OUT}")

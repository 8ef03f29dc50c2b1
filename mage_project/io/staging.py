"""A temporary table that rows pass through where Postgres has to cast or to merge them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from psycopg2 import sql

from mage_project.io.copying import copy
from mage_project.io.ddl import Column
from mage_project.io.tables import Place

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor


class Stage:
    """The temporary table, its rows numbered in the order in which they came."""

    def __init__(self, columns: Sequence[Column], *, keys: Sequence[str], conflict: str | None) -> None:
        """`keys` and `conflict` ('UPDATE', 'IGNORE') say which of several rows with one key counts: last or first."""
        self._columns = columns
        self._keys = list(keys) if conflict else []
        self._conflict = conflict
        self._table = sql.Identifier("pg_temp", f"mage_project_{secrets.token_hex(6)}")
        self._ordinal = _unused("row", {column.name for column in columns})
        self._arrived: dict[str, pa.DataType] = {}

    def fill(self, cursor: Cursor, batches: Iterable[pa.Table]) -> int:
        """Copy the rows in and return their number."""
        cells = [
            sql.SQL("{} " + column.base).format(sql.Identifier(column.name)) for column in map(_staged, self._columns)
        ]
        cells.append(sql.SQL("{} bigint").format(sql.Identifier(self._ordinal)))
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(self._table, sql.SQL(", ").join(cells))
        )
        staged = [_staged(column) for column in self._columns]
        return copy(cursor, self._table, staged, self._noting(batches), ordinal=self._ordinal)

    def _noting(self, batches: Iterable[pa.Table]) -> Iterable[pa.Table]:
        for batch in batches:
            if not self._arrived:
                self._arrived = {field.name: field.type for field in batch.schema}
            yield batch

    def pour(self, cursor: Cursor, place: Place, *, is_new: bool) -> None:
        """Insert the rows into the table, in their order and in one statement, and drop the stage."""
        statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS s {} ORDER BY {} {}").format(
            place.sql,
            _names(self._columns),
            sql.SQL(", ").join(self._value(column) for column in self._columns),
            self._table if not self._keys else self._ranked(),
            self._chosen(),
            sql.Identifier("s", self._ordinal),
            sql.SQL("") if is_new or not self._keys else self._on_conflict(),
        )
        cursor.execute(statement)
        cursor.execute(sql.SQL("DROP TABLE {}").format(self._table))

    def _ranked(self) -> sql.Composable:
        """The stage with the rank of each row among those of its key."""
        return sql.SQL("(SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {} {}) AS {} FROM {})").format(
            sql.SQL(", ").join(map(sql.Identifier, self._keys)),
            sql.Identifier(self._ordinal),
            sql.SQL("DESC" if self._conflict == "UPDATE" else "ASC"),
            sql.Identifier(self._rank),
            self._table,
        )

    @property
    def _rank(self) -> str:
        return _unused("rank", {self._ordinal, *(column.name for column in self._columns)})

    def _chosen(self) -> sql.Composable:
        """One row for each key; rows with a null in their key are no duplicates of each other, as in an index."""
        if not self._keys:
            return sql.SQL("")
        nulls = [sql.SQL("{} IS NULL").format(sql.Identifier("s", key)) for key in self._keys]
        first = sql.SQL("{} = 1").format(sql.Identifier("s", self._rank))
        return sql.SQL("WHERE {}").format(sql.SQL(" OR ").join([first, *nulls]))

    def _on_conflict(self) -> sql.Composable:
        keys = sql.SQL(", ").join(map(sql.Identifier, self._keys))
        others = [column.name for column in self._columns if column.name not in self._keys]
        if self._conflict == "IGNORE" or not others:
            return sql.SQL("ON CONFLICT ({}) DO NOTHING").format(keys)
        changes = [sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in others]
        return sql.SQL("ON CONFLICT ({}) DO UPDATE SET {}").format(keys, sql.SQL(", ").join(changes))

    def _value(self, column: Column) -> sql.Composable:
        """The staged value as the column's type. Lengths are checked by the insert: an explicit cast would cut."""
        value = sql.Identifier("s", column.name)
        if column.is_direct:
            return value
        if column.base.endswith("[]") and _is_json(self._arrived.get(column.name, pa.null())):
            elements = "(SELECT jsonb_array_elements_text(CAST({0} AS jsonb)))"
            text = "CASE WHEN {0} IS NOT NULL THEN CAST(ARRAY" + elements + " AS " + column.base + ") END"
            return sql.SQL(text).format(value)
        return sql.SQL("CAST({} AS " + column.base + ")").format(value)


def _is_json(arrow: pa.DataType) -> bool:
    """Whether values of the type are staged as JSON."""
    is_marked = isinstance(arrow, pa.BaseExtensionType) and arrow.extension_name == "arrow.json"
    return is_marked or bool(pa.types.is_nested(arrow))


def _staged(column: Column) -> Column:
    """The column of the stage: text where COPY has no binary form for the type."""
    if column.is_direct:
        return column
    return Column(name=column.name, sql="text", base="text")


def _names(columns: Sequence[Column]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name

"""SQL blocks in Postgres: everything that a block does is one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql

from mage_project.io import names, tables, writing
from mage_project.io.options import Options, one_of
from mage_project.io.postgres import Postgres
from mage_project.io.reading import read_query
from mage_project.io.store_errors import store_error
from mage_project.runner.sql.places import Table, cut
from mage_project.runner.sql.settings import POLICIES

if TYPE_CHECKING:
    import pandas as pd

    from mage_project.io.transaction import Transaction


class PostgresStore:
    """A database of a profile."""

    dialect = "postgres"
    longest_name: int | None = names.MAX_BYTES

    def __init__(self, connector: Postgres, transaction: Transaction) -> None:
        self._connector = connector
        self._transaction = transaction
        transaction.begin("the tables of a SQL block")

    @classmethod
    @contextmanager
    def opened(cls, config: Any) -> Iterator[PostgresStore]:
        """Connected inside; what was not committed by then is gone."""
        with Postgres.with_config(config) as connector:
            transaction = connector.conn.owner
            assert transaction is not None  # noqa: S101 - every connection of the connector has one
            yield cls(connector, transaction)

    def placed(self, table: Table) -> Table:
        schema = table.schema or self._connector.default_schema() or self._current_schema()
        name = names.identifier(cut(table.name, self.longest_name), "table")
        return replace(table, schema=names.identifier(schema, "schema"), name=name)

    def written(self, table: Table) -> str:
        parts = [part for part in (table.schema, table.name) if part]
        return sql.Identifier(*parts).as_string(self._transaction.connection)

    def store(self, data: Any, table: Table) -> int:
        options = Options(if_exists="replace", rename=names.column_names)
        rows = writing.export(self._transaction, self._place(table), data, options)
        self._transaction.settle()
        return rows

    def write(self, query: str, table: Table, policy: str) -> int | None:
        options = Options(if_exists=one_of("export_write_policy", policy, POLICIES))
        rows = writing.export_query(self._transaction, self._place(table), query, options)
        self._transaction.settle()
        return rows

    def execute(self, statement: str) -> int | None:
        with self._telling(), self._transaction.connection.cursor() as cursor:
            cursor.execute(statement)
            is_written = (cursor.statusmessage or "").startswith(("INSERT", "UPDATE", "DELETE", "MERGE", "SELECT"))
            return cursor.rowcount if is_written and cursor.description is None else None

    def fetch(self, query: str) -> pd.DataFrame:
        with self._telling():
            return read_query(self._transaction.connection, query)

    def rows_of(self, table: str, limit: int | None) -> pd.DataFrame:
        return self.fetch(f"SELECT * FROM {table} LIMIT {'ALL' if limit is None else limit}")  # noqa: S608 - a name

    def count(self, table: str) -> int:
        with self._telling(), self._transaction.connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name, or quoted
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def place_of(self, error: BaseException, query: str) -> int | None:
        """Postgres counts characters, from 1, in what was sent: the query and what stands before it."""
        cause = error.__cause__
        position = getattr(getattr(cause, "diag", None), "statement_position", None)
        cursor = getattr(cause, "cursor", None)
        if position is None or cursor is None or not cursor.query:
            return None
        before = cursor.query.decode("utf-8", "replace").find(query)
        place = int(position) - 1 - before
        return place if before >= 0 and 0 <= place <= len(query) else None

    def finish(self) -> None:
        self._transaction.keep()

    def _place(self, table: Table) -> tables.Place:
        return tables.Place(schema=str(table.schema), table=table.name)

    def _current_schema(self) -> str:
        with self._telling(), self._transaction.connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(pg_catalog.current_schema(), 'public')")
            row = cursor.fetchone()
        return str(row[0]) if row else "public"

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            transaction = self._transaction
            raise store_error(error, transaction.connection, transaction.address, "executing SQL") from error

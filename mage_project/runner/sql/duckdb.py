"""SQL blocks in DuckDB: everything that a block does is one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mage_project.io import duckdb_writing, names
from mage_project.io.duckdb import DuckDB
from mage_project.io.duckdb_session import details
from mage_project.io.options import Options, one_of
from mage_project.runner.sql.places import Table
from mage_project.runner.sql.settings import POLICIES

if TYPE_CHECKING:
    import pandas as pd

#: What statements that write answer with: how many rows.
_COUNT = "Count"


class DuckDBStore:
    """A database of a profile."""

    dialect = "duckdb"
    longest_name: int | None = None

    def __init__(self, connector: DuckDB) -> None:
        self._connector = connector
        connector.session.begin()

    @classmethod
    @contextmanager
    def opened(cls, config: Any) -> Iterator[DuckDBStore]:
        """Connected inside; what was not committed by then is gone."""
        with DuckDB.with_config(config) as connector:
            yield cls(connector)

    def placed(self, table: Table) -> Table:
        return replace(table, schema=table.schema or self._connector.default_schema())

    def written(self, table: Table) -> str:
        parts = [part for part in (table.schema, table.name) if part]
        return duckdb_writing.quoted(*parts)

    def store(self, data: Any, table: Table) -> int:
        options = Options(if_exists="replace", rename=names.column_names)
        return duckdb_writing.export(self._connector, str(table.schema), table.name, data, options)

    def write(self, query: str, table: Table, policy: str) -> int | None:
        options = Options(if_exists=one_of("export_write_policy", policy, POLICIES))
        return duckdb_writing.export_query(self._connector, str(table.schema), table.name, query, options)

    def execute(self, statement: str) -> int | None:
        session = self._connector.session
        with session.writing("executing SQL"):
            answer = session.execute(statement)
            counts = bool(answer.description) and answer.description[0][0] == _COUNT
            row = answer.fetchone() if counts else None
        return int(row[0]) if row else None

    def fetch(self, query: str) -> pd.DataFrame:
        return self._connector.load(query)

    def rows_of(self, table: str, limit: int | None) -> pd.DataFrame:
        return self._connector.load(f"SELECT * FROM {table}", limit)  # noqa: S608 - a name

    def count(self, table: str) -> int:
        row = self._connector.conn.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a name
        return int(row[0]) if row else 0

    def place_of(self, error: BaseException, query: str) -> int | None:
        """DuckDB counts bytes, from 0, in what was sent: the query and what stands before it."""
        position = details(error.__cause__).get("position", "")
        if not position.isdigit():
            return None
        sent, mine = self._connector.session.sent.encode(), query.encode()
        before = sent.find(mine)
        place = int(position) - before
        return len(mine[:place].decode("utf-8", "ignore")) if before >= 0 and 0 <= place <= len(mine) else None

    def finish(self) -> None:
        self._connector.session.keep()

"""What a SQL block needs of a store, and which store a provider is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from mage_project.io.config import ConfigFileLoader
from mage_project.project import Pipeline
from mage_project.runner.sql.places import Table
from mage_project.runner.sql.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class Store(Protocol):
    """A connection to a store, with everything in one transaction where the store has them."""

    #: sqlglot's name of the store's SQL.
    dialect: str
    #: The longest name of a table in bytes, None where there is no such limit.
    longest_name: int | None

    def placed(self, table: Table) -> Table:
        """The table with everything that names it: the profile's database and schema where it has none."""

    def written(self, table: Table) -> str:
        """How SQL names the table."""

    def store(self, data: Any, table: Table) -> int:
        """Put what a block returned in the place of the table. Returns the number of rows."""

    def write(self, query: str, table: Table, policy: str) -> int | None:
        """Write what the query gives to the table, by one of the write policies. Returns the number of rows."""

    def execute(self, statement: str) -> int | None:
        """Execute a statement. Returns the number of rows that it wrote, None if it writes none."""

    def fetch(self, query: str) -> pd.DataFrame:
        """What the query gives."""

    def rows_of(self, table: str, limit: int | None) -> pd.DataFrame:
        """The rows of a table that is named as SQL names it, at most `limit` of them."""

    def count(self, table: str) -> int:
        """The rows of a table that is named as SQL names it."""

    def place_of(self, error: BaseException, query: str) -> int | None:
        """The offset in the query that the store's error is about, None if it names none."""

    def finish(self) -> None:
        """Commit, or hand the commit over where commits are collected."""


def opened(settings: Settings, pipeline: Pipeline) -> AbstractContextManager[Store]:
    """The store of a block's settings, connected inside."""
    config = ConfigFileLoader(pipeline.root / "io_config.yaml", settings.profile)
    if settings.provider == "duckdb":
        from mage_project.runner.sql.duckdb import DuckDBStore

        return DuckDBStore.opened(config)
    if settings.provider == "bigquery":
        from mage_project.runner.sql.bigquery import BigQueryStore

        return BigQueryStore.opened(config)
    from mage_project.runner.sql.postgres import PostgresStore

    return PostgresStore.opened(config)


#: The settings of a profile that say which store it is.
_IDENTITY = {
    "postgres": ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DBNAME"),
    "duckdb": ("DUCKDB_DATABASE",),
    "bigquery": ("GOOGLE_SERVICE_ACC_KEY", "GOOGLE_SERVICE_ACC_KEY_FILEPATH"),
}


def is_same(one: Settings, other: Settings, pipeline: Pipeline) -> bool:
    """Whether two blocks talk to one store. A DuckDB in memory is another one for each block."""
    if one.provider != other.provider:
        return False
    first, second = (ConfigFileLoader(pipeline.root / "io_config.yaml", each.profile) for each in (one, other))
    values = [(first.get(key), second.get(key)) for key in _IDENTITY[one.provider]]
    if one.provider == "duckdb":
        return all(mine == theirs and mine not in (None, "", ":memory:") for mine, theirs in values)
    return all(mine == theirs for mine, theirs in values)

"""SQL blocks in BigQuery: each table is written by one job, whole or not at all, and at once.

There is no DML in what is done here, so that a project without billing can do it, and no transaction over tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mage_project.errors import ConfigError
from mage_project.io import commits
from mage_project.io.bigquery import BigQuery
from mage_project.runner.sql.places import Table

if TYPE_CHECKING:
    import pandas as pd

#: What may stand in a FROM clause as it is.
_PLAIN = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_PLACE = re.compile(r"\[(\d+):(\d+)\]")


class BigQueryStore:
    """The BigQuery of a profile."""

    dialect = "bigquery"
    longest_name: int | None = 1024

    def __init__(self, connector: BigQuery) -> None:
        self._connector = connector

    @classmethod
    @contextmanager
    def opened(cls, config: Any) -> Iterator[BigQueryStore]:
        """Ready inside."""
        with BigQuery.with_config(config) as connector:
            yield cls(connector)

    def placed(self, table: Table) -> Table:
        if not table.schema:
            what = f"'{table.name}' is in no dataset: BigQuery needs one"
            raise ConfigError(what, hint="add data_provider_schema: DATASET to the block's configuration")
        return replace(table, database=table.database or self._connector.default_database())

    def written(self, table: Table) -> str:
        name = ".".join(part for part in (table.database, table.schema, table.name) if part)
        return name if _PLAIN.fullmatch(name) else f"`{name}`"

    def store(self, data: Any, table: Table) -> int:
        with commits.at_once():
            self._connector.export(data, self.written(table), if_exists="replace")
        return self.count(self.written(table))

    def write(self, query: str, table: Table, policy: str) -> int | None:
        with commits.at_once():
            self._connector.export(None, self.written(table), if_exists=policy, query_string=query)
        return self.count(self.written(table)) if policy != "append" else None

    def execute(self, statement: str) -> int | None:
        rows = self._connector.execute_query_raw(statement)
        written = getattr(rows, "num_dml_affected_rows", None)
        return None if written is None else int(written)

    def fetch(self, query: str) -> pd.DataFrame:
        return self._connector.load(query)

    def rows_of(self, table: str, limit: int | None) -> pd.DataFrame:
        return self._connector.load(table, limit)

    def count(self, table: str) -> int:
        return int(self._connector.load(f"SELECT count(*) AS n FROM {table}")["n"].iloc[0])  # noqa: S608 - a name

    def place_of(self, error: BaseException, query: str) -> int | None:
        """BigQuery says `at [2:15]`: line and column of what was sent, from 1."""
        found = _PLACE.search(str(error.__cause__ or error))
        if not found:
            return None
        line, column = int(found[1]), int(found[2])
        lines = query.split("\n")
        return sum(len(each) + 1 for each in lines[: line - 1]) + column - 1 if line <= len(lines) else None

    def finish(self) -> None:
        """Nothing: every job has been committed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import psycopg2
import pytest

from mage_project.io.postgres import Postgres


class Database:
    """A schema of a test's own, with short ways to write to it and to look into it from outside."""

    def __init__(self, env: dict[str, str]) -> None:
        self.schema = f"test_{secrets.token_hex(4)}"
        self.settings: dict[str, Any] = {
            "host": env["POSTGRES_HOST"],
            "port": int(env["POSTGRES_PORT"]),
            "user": env["POSTGRES_USER"],
            "password": env["POSTGRES_PASSWORD"],
            "dbname": env["POSTGRES_DBNAME"],
        }
        self._outside = psycopg2.connect(**self.settings)
        self._outside.autocommit = True
        self.run("SET lock_timeout = '5s'")

    def connector(self, **changes: Any) -> Postgres:
        return Postgres(**{"schema": self.schema, **self.settings, **changes})

    def export(self, data: Any, table: str = "trips", **options: Any) -> None:
        """One export; short column names such as `a` are reserved words, which Mage would put an underscore before."""
        with self.connector() as loader:
            loader.export(data, self.schema, table, **{"allow_reserved_words": True, **options})

    def run(self, query: str, *values: Any) -> None:
        with self._outside.cursor() as cursor:
            cursor.execute(query.replace("$", self.schema), values or None)

    def rows(self, query: str = "SELECT * FROM $.trips ORDER BY 1", *values: Any) -> list[tuple[Any, ...]]:
        with self._outside.cursor() as cursor:
            cursor.execute(query.replace("$", self.schema), values or None)
            return cursor.fetchall()

    def one(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def types(self, table: str = "trips") -> dict[str, str]:
        query = (
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        return dict(self.rows(query, f"{self.schema}.{table}"))

    def tables(self) -> list[str]:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1"
        return [name for (name,) in self.rows(query, self.schema)]

    def connections(self) -> int:
        """How many of our connections are left, once the server has noticed those that were closed."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mage-project'"
        before = -1
        while (count := int(self.one(query))) != before:
            before = count
            time.sleep(0.05)
        return count

    def close(self) -> None:
        self.run("DROP SCHEMA IF EXISTS $ CASCADE")
        self._outside.close()


@pytest.fixture
def database(postgres_env: dict[str, str]) -> Iterator[Database]:
    database = Database(postgres_env)
    yield database
    database.close()


@pytest.fixture
def trips() -> pd.DataFrame:
    return pd.DataFrame({"VendorID": [1, 2, 3], "total amount": [1.5, 2.5, None]})


@pytest.fixture
def failing() -> Callable[[Any], Iterator[Any]]:
    """An iterator that gives a frame and then breaks."""

    def frames(frame: Any) -> Iterator[Any]:
        yield frame
        raise RuntimeError("the source broke")

    return frames

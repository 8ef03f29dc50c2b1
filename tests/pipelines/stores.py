"""What a table and a lake hold, as something that can be compared."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from psycopg2 import sql

TABLE = "trips"
LAKE = "trips"


@dataclass(frozen=True, kw_only=True)
class Table:
    """The types of the columns by name, in their order; how many rows, and a hash of them, sorted."""

    types: dict[str, str]
    rows: int
    sha256: str


#: Size in bytes and crc32c of objects by name.
Objects = dict[str, tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class State:
    """All tables of a schema, all objects of a bucket, and the rows that pyarrow reads from the lake's table."""

    tables: dict[str, Table]
    objects: Objects
    lake: str

    @property
    def settled(self) -> State:
        """Without what killed runs have left in staging, which is cleared after a day."""
        objects = {name: content for name, content in self.objects.items() if not name.startswith("_staging/")}
        return State(tables=self.tables, objects=objects, lake=self.lake)


class Stores:
    """A Postgres and a GCS server, and ways to look into them. `env` is how programs find them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = dict(env)
        self._postgres = psycopg2.connect(
            host=env["PGHOST"],
            port=env["PGPORT"],
            user=env["PGUSER"],
            password=env["PGPASSWORD"],
            dbname=env["PGDATABASE"],
        )
        self._postgres.autocommit = True
        self.gcs = storage.Client(
            project="local",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": env["STORAGE_EMULATOR_HOST"]},
        )
        host = env["STORAGE_EMULATOR_HOST"].removeprefix("http://")
        self._files = pyarrow.fs.GcsFileSystem(anonymous=True, endpoint_override=host, scheme="http")

    def close(self) -> None:
        self._postgres.close()
        self.gcs.close()

    def query(self, statement: str | sql.Composable, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement, which is committed."""
        with self._postgres.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def tables(self, schema: str) -> dict[str, Table]:
        names = self.query("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace = "
                           "to_regnamespace(quote_ident(%s))", schema)  # fmt: skip
        return {name: self._table(schema, name) for (name,) in names}

    def _table(self, schema: str, name: str) -> Table:
        table = sql.Identifier(schema, name).as_string(self._postgres)
        columns = self.query(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            table,
        )
        rows = sorted(row for (row,) in self.query(f"SELECT t::text FROM {table} AS t"))
        return Table(types=dict(columns), rows=len(rows), sha256=hashed(rows))

    def objects(self, bucket: str) -> Objects:
        """Every object in the bucket; none where there is no such bucket."""
        if not self.gcs.lookup_bucket(bucket):
            return {}
        return {blob.name: (blob.size, blob.crc32c) for blob in self.gcs.list_blobs(bucket)}

    def lake(self, bucket: str, table: str) -> pa.Table:
        """What pyarrow reads: the columns of the files, and the pickup date that is in the folders' names."""
        return pyarrow.dataset.dataset(f"{bucket}/{table}", filesystem=self._files, partitioning="hive").to_table()

    def drop_schema(self, name: str) -> None:
        self.query(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))

    def at_rest(self) -> bool:
        """Whether no run's transaction is left in Postgres."""
        return not self.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'mage-project'")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A schema and a bucket of one test."""

    stores: Stores
    name: str

    @property
    def variables(self) -> dict[str, str]:
        return {"schema": self.name, "table": TABLE, "bucket": self.name, "lake_table": LAKE}

    def state(self) -> State:
        objects = self.stores.objects(self.name)
        lake = self.stores.lake(self.name, LAKE).to_pylist() if any(o.startswith(f"{LAKE}/") for o in objects) else []
        return State(tables=self.stores.tables(self.name), objects=objects, lake=hashed(sorted(map(str, lake))))

    def at_rest(self) -> State:
        """The state once nothing moves any more: a server may still be at what a killed run asked for."""
        before, now = None, self.stores.objects(self.name)
        while before != now or not self.stores.at_rest():
            time.sleep(0.05)
            before, now = now, self.stores.objects(self.name)
        return self.state()

    def rows(self, columns: str, order: str = "1") -> list[tuple[Any, ...]]:
        """Some columns of the table."""
        return self.stores.query(f'SELECT {columns} FROM "{self.name}".{TABLE} ORDER BY {order}')

    def copy_of(self, other: Target) -> None:
        """Make this target, with what the other one holds."""
        self.stores.query(f'CREATE SCHEMA "{self.name}"')
        self.stores.query(f'CREATE TABLE "{self.name}".{TABLE} AS TABLE "{other.name}".{TABLE}')
        bucket = self.stores.gcs.create_bucket(self.name)
        for blob in self.stores.gcs.list_blobs(other.name):
            blob.bucket.copy_blob(blob, bucket, blob.name)

    def drop(self) -> None:
        self.stores.drop_schema(self.name)
        if bucket := self.stores.gcs.lookup_bucket(self.name):
            bucket.delete_blobs(list(bucket.list_blobs()))
            bucket.delete()


def hashed(rows: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()

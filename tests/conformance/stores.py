"""Postgres and GCS, asked whether what two runs left there is the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from psycopg2 import sql

SCHEMA = "mage"
BUCKET = "nyc-taxi-lake"


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Connections to both. `env` is how programs find them."""

    env: Mapping[str, str] = field(repr=False)
    postgres: Any
    gcs: storage.Client

    @classmethod
    @contextmanager
    def at(cls, env: Mapping[str, str]) -> Iterator[Stores]:
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
        postgres = psycopg2.connect(**{word: env[name] for word, name in names.items()})
        postgres.autocommit = True
        endpoint = {"api_endpoint": env["STORAGE_EMULATOR_HOST"]}
        gcs = storage.Client(project="local", credentials=AnonymousCredentials(), client_options=endpoint)
        gcs.create_bucket(BUCKET)
        yield cls(env=env, postgres=postgres, gcs=gcs)
        gcs.close()
        postgres.close()

    def columns(self, table: str) -> dict[str, str]:
        """The types of the columns by name, in their order; none where there is no such table."""
        return dict(
            self._rows(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                (SCHEMA, table),
            )
        )

    def count(self, table: str) -> int:
        [(rows,)] = self._rows(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(SCHEMA, table)))
        return int(rows)

    def surplus(self, table: str, other: str, types: Mapping[str, str]) -> list[tuple[Any, ...]]:
        """Rows that `table` has more often than `other`, both cast to `types`: a difference of multisets."""
        columns = sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in types.items()
        )
        query = sql.SQL("SELECT {columns} FROM {table} EXCEPT ALL SELECT {columns} FROM {other}").format(
            columns=columns, table=sql.Identifier(SCHEMA, table), other=sql.Identifier(SCHEMA, other)
        )
        return self._rows(query)

    def lake(self, table: str) -> dict[str, pa.Table]:
        """The rows of each partition (the folder's name), sorted, with the types of the files."""
        partitions: dict[str, list[pa.Table]] = {}
        for blob in self.gcs.list_blobs(BUCKET, prefix=f"{table}/"):
            partition = blob.name.removeprefix(f"{table}/").rpartition("/")[0]
            partitions.setdefault(partition, []).append(pq.read_table(BytesIO(blob.download_as_bytes())))
        return {partition: in_order(pa.concat_tables(files)) for partition, files in partitions.items()}

    def _rows(self, query: str | sql.Composable, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self.postgres.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())


def in_order(table: pa.Table) -> pa.Table:
    """The rows sorted, and without pandas' notes in the schema: equal for equal multisets of rows."""
    return table.sort_by([(name, "ascending") for name in table.column_names]).replace_schema_metadata(None)

"""What a run left in the stores, in a form in which two runs can be compared: multisets of rows, their types cast."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg2
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from psycopg2 import sql

NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00(:?00)?)?)?")
#: What pyarrow and others put into the name of a file so that it is new.
NEW_NAME = re.compile(r"[0-9a-f]{32}(-\d+)?|[0-9a-f-]{36}")


@dataclass(frozen=True, kw_only=True)
class Content:
    """The number of rows, a sum over all rows, and one over each column; equal for equal multisets."""

    rows: int
    total: int
    columns: Mapping[str, int]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Content:
        columns = {str(name): _numbers(frame.iloc[:, at]) for at, name in enumerate(frame.columns)}
        rows = np.zeros(len(frame), np.uint64)
        for name in sorted(columns):
            rows = _mixed(rows * np.uint64(31) + columns[name])
        return cls(
            rows=len(frame),
            total=int(rows.sum()),
            columns={name: int(_mixed(numbers).sum()) for name, numbers in columns.items()},
        )

    def difference(self, other: Content) -> str:
        """From this one to the other, in words; "" where they are equal."""
        if self == other:
            return ""
        if self.columns.keys() != other.columns.keys():
            return f"columns {sorted(self.columns.keys() ^ other.columns.keys())} in one only"
        if self.rows != other.rows:
            return f"{self.rows} and {other.rows} rows"
        others = [name for name in self.columns if self.columns[name] != other.columns[name]]
        return f"other values in {others}" if others else "the same values in other rows"


Left = dict[str, Content]


def left_in(env: Mapping[str, str], folder: Path) -> Left:
    """Everything in the stores that these variables lead to, and the files with rows below the folder."""
    found = {**dict(_tables(env)), **dict(_objects(env)), **dict(_files(folder))}
    return {**found, **dict(_bigquery(env))} if "BIGQUERY_EMULATOR_HOST" in env else found


def _tables(env: Mapping[str, str]) -> Iterator[tuple[str, Content]]:
    """Of all databases: which one a profile named is of no account."""
    names = [row[0] for row in _rows(env, env["PGDATABASE"], "SELECT datname FROM pg_database WHERE datallowconn")]
    for database in set(names) - {"template1"}:
        tables = _rows(
            env,
            database,
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        )
        for schema, table in tables:
            yield f"{schema}.{table}", Content.of(_table(env, database, schema, table))


def _table(env: Mapping[str, str], database: str, schema: str, table: str) -> pd.DataFrame:
    connection = _connected(env, database)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table)))
        frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description], dtype=object)
    connection.close()
    return frame


def _rows(env: Mapping[str, str], database: str, query: str) -> list[tuple[Any, ...]]:
    connection = _connected(env, database)
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    connection.close()
    return rows


def _connected(env: Mapping[str, str], database: str) -> Any:
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    return psycopg2.connect(dbname=database, **{word: env[name] for word, name in names.items()})


def _objects(env: Mapping[str, str]) -> Iterator[tuple[str, Content]]:
    """Of all buckets; files of one folder with made-up names are one."""
    options = {"api_endpoint": env["STORAGE_EMULATOR_HOST"]}
    client = storage.Client(project="local", credentials=AnonymousCredentials(), client_options=options)
    frames: dict[str, list[pd.DataFrame]] = {}
    for bucket in client.list_buckets():
        for blob in client.list_blobs(bucket):
            if not blob.name.endswith("/"):
                name = f"gs://{bucket.name}/{NEW_NAME.sub('*', blob.name)}"
                frames.setdefault(name, []).append(_decoded(blob.name, blob.download_as_bytes()))
    client.close()
    for name, parts in frames.items():
        yield name, Content.of(pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0])


def _files(folder: Path) -> Iterator[tuple[str, Content]]:
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if (
            path.is_file()
            and path.suffix in (".csv", ".parquet", ".duckdb")
            and not name.startswith(".")
            and "/." not in name
        ):
            yield from (
                _database(path) if path.suffix == ".duckdb" else [(name, Content.of(_decoded(name, path.read_bytes())))]
            )


def _database(path: Path) -> Iterator[tuple[str, Content]]:
    import duckdb

    try:
        connection = duckdb.connect(path, read_only=True)
    except duckdb.IOException:  # another DuckDB's: with other tables than any that is read here
        yield f"{path.name}, unread", Content.of(pd.DataFrame({"bytes": [path.stat().st_size]}))
        return
    with connection:
        for schema, table in connection.sql("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
            yield f"{path.name} {schema}.{table}", Content.of(connection.sql(f'FROM "{schema}"."{table}"').df())


def _decoded(key: str, content: bytes) -> pd.DataFrame:
    if content.startswith(b"PAR1"):
        return pd.read_parquet(BytesIO(content), partitioning=None)
    if key.endswith((".csv", ".csv.gz")):
        return pd.read_csv(BytesIO(content), compression="gzip" if key.endswith("gz") else None, dtype=object)
    return pd.DataFrame({"content": [content]})


def _bigquery(env: Mapping[str, str]) -> Iterator[tuple[str, Content]]:
    from google.cloud import bigquery

    options = {"api_endpoint": env["BIGQUERY_EMULATOR_HOST"]}
    client = bigquery.Client(
        project=env["GOOGLE_CLOUD_PROJECT"], credentials=AnonymousCredentials(), client_options=options
    )
    datasets = [dataset for project in client.list_projects() for dataset in client.list_datasets(project.project_id)]
    for dataset in datasets:
        for table in client.list_tables(dataset.reference):
            if table.table_id.startswith("__"):  # Mage looks into such a one, and the server has none by itself
                continue
            rows = client.list_rows(table).to_arrow(create_bqstorage_client=False)
            yield f"bigquery {table.full_table_id}", Content.of(rows.to_pandas())
    client.close()


def _numbers(column: pd.Series) -> np.ndarray:
    """A number for each value: the same for 1, 1.0 and "1", for a day and its midnight, for all that is null."""
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:  # lists and the like
        codes, distinct = pd.factorize(column.astype(str))
    texts = [*map(_text, pd.Series(distinct).astype(object)), ""]  # the code of null is -1
    return pd.util.hash_array(np.array(texts, dtype=object), categorize=False)[codes]


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Spread, so that sums tell other rows from the same values in other rows."""
    numbers = (numbers ^ (numbers >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    return numbers ^ (numbers >> np.uint64(33))


def _text(value: Any) -> str:
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    elif isinstance(value, str) and TIME.fullmatch(value):
        value = dt.datetime.fromisoformat(value)
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return f"{float(value):.12g}"
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat(" ", "milliseconds")
    if isinstance(value, dt.date):
        return f"{value} 00:00:00.000"
    return str(value)

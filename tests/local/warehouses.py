"""A client of the local BigQuery, and what tests load with it."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from mage_project.local import LocalStack

#: Two days with a row each.
DAYS = pa.table({"day": [dt.date(2021, 1, 1), dt.date(2021, 1, 2)], "n": [1, 2]})


class Dataset:
    """An empty dataset and a client."""

    def __init__(self, client: bigquery.Client, name: str) -> None:
        self.client = client
        self.name = name

    def load(self, content: pa.Table | bytes, table: str, **options: object) -> bigquery.LoadJob:
        """Loads a table as Parquet, or bytes as the `options` say; the job, which is done."""
        data = parquet(content) if isinstance(content, pa.Table) else content
        config = bigquery.LoadJobConfig(**{"source_format": "PARQUET", **options})
        job = self.client.load_table_from_file(io.BytesIO(data), f"{self.name}.{table}", job_config=config)
        job.result()
        return job

    def load_objects(self, uris: str | list[str], table: str, **options: object) -> bigquery.LoadJob:
        """Loads objects; the job, which is done."""
        config = bigquery.LoadJobConfig(**{"source_format": "PARQUET", **options})
        job = self.client.load_table_from_uri(uris, f"{self.name}.{table}", job_config=config)
        job.result()
        return job

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of a query, in which {} is the dataset."""
        return [tuple(row) for row in self.client.query_and_wait(sql.format(self.name))]

    def get(self, table: str) -> bigquery.Table:
        """The description of a table."""
        return self.client.get_table(f"{self.name}.{table}")


def parquet(table: pa.Table) -> bytes:
    """The table as a Parquet file."""
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


@contextmanager
def client_of(stack: LocalStack) -> Iterator[bigquery.Client]:
    """A client of the BigQuery of a stack, which runs."""
    options = {"api_endpoint": stack.env(("bigquery",))["BIGQUERY_EMULATOR_HOST"]}
    client = bigquery.Client(project="local", credentials=AnonymousCredentials(), client_options=options)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def dataset(stack: LocalStack, name: str = "trips") -> Iterator[Dataset]:
    """An empty dataset in the BigQuery of a stack, which runs."""
    with client_of(stack) as client:
        client.delete_dataset(name, delete_contents=True, not_found_ok=True)
        stack.ensure_datasets([name])
        yield Dataset(client, name)

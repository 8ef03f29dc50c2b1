"""Loading objects of a bucket into BigQuery, on Google's side: no row comes to this machine.

    python -m taxi.load_jobs ny_taxi.green_taxi

says how many rows a table has.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import count
from typing import Any

from google.api_core import exceptions as google_errors
from google.cloud import bigquery

from taxi.google_clients import account, local_account

#: What an upload of a file holds in memory. Google's library takes a hundred megabytes, and has no setting for it.
CHUNK_BYTES = 8 * 1024 * 1024
bigquery.client._DEFAULT_CHUNKSIZE = CHUNK_BYTES


def bigquery_client(profile: Any) -> bigquery.Client:
    """A client for the account of the profile, as taxi.google_clients has it, in the profile's GOOGLE_LOCATION.

    Where BIGQUERY_EMULATOR_HOST is set nobody is asked. Whoever makes a client closes it.
    """
    local = os.environ.get("BIGQUERY_EMULATOR_HOST")
    return bigquery.Client(
        **(local_account() if local else account(profile)), location=profile.get("GOOGLE_LOCATION") or None
    )


def load_objects(client: bigquery.Client, addresses: list[str], table: str, *, version: str = "") -> bigquery.LoadJob:
    """Make the Parquet objects (gs://bucket/name) the whole of `table` (dataset.table); returns the job, which is done.

    The job's id follows from the objects, their `version`, the table and the table's own state. So a retry after a
    lost answer finds the job that was begun instead of beginning another, and a later load is a job of its own. The
    dataset is made in the client's location. Raises Google's errors, with the table as it was.
    """
    dataset = table.rpartition(".")[0]
    client.create_dataset(dataset, exists_ok=True)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
    state = _state(client, table)
    return load_once(
        client,
        lambda job_id: client.load_table_from_uri(addresses, table, job_id=job_id, job_config=config),
        *(*addresses, version, table, state),
        is_gone=lambda: _state(client, table) == state,
    )


def load_once(
    client: bigquery.Client, begin: Callable[[str], bigquery.LoadJob], *parts: str, is_gone: Callable[[], bool]
) -> bigquery.LoadJob:
    """The load job whose id follows from `parts`, done: the one that is there, else what `begin` makes with that id.

    A job that failed, or whose rows somebody has removed (`is_gone`), is followed by another one.
    """
    for attempt in count():
        job_id = _job_id(*parts, str(attempt))
        try:
            job = begin(job_id)
        except google_errors.Conflict:
            job = client.get_job(job_id)
            if job.done() and (job.error_result or is_gone()):
                continue
        job.result()
        return job
    raise AssertionError("count() has no end")


def _state(client: bigquery.Client, table: str) -> str:
    """What changes whenever somebody writes to the table."""
    with suppress(google_errors.NotFound):
        found = client.get_table(table)
        return f"{found.etag} {found.modified} {found.num_rows}"
    return "no table"


def _job_id(*parts: str) -> str:
    """The same id for the same parts; letters, digits and _, as BigQuery wants it."""
    return f"load_{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:40]}"


def main(table: str) -> None:
    with closing(bigquery_client({})) as client:
        print(f"BigQuery's {table} has {client.get_table(table).num_rows:,} rows.")


if __name__ == "__main__":
    main(*sys.argv[1:])

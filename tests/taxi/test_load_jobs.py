"""Load jobs on a real BigQuery emulator: what is loaded, and what trying again does."""

from __future__ import annotations

import inspect
import io
import secrets
from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery, storage

from mage_project.local import LocalStack
from taxi.load_jobs import CHUNK_BYTES, bigquery_client, load_objects


@pytest.fixture
def client(local_stack: LocalStack, request: pytest.FixtureRequest) -> Iterator[bigquery.Client]:
    if lack := local_stack.missing("bigquery"):
        pytest.skip(lack)
    request.getfixturevalue("bigquery_env")
    with closing(bigquery_client({})) as client:
        yield client


@pytest.fixture
def bucket(gcs_client: storage.Client) -> storage.Bucket:
    return gcs_client.create_bucket(f"jobs-{secrets.token_hex(4)}")


@pytest.fixture
def table() -> str:
    return f"jobs_{secrets.token_hex(4)}.trips"


def put(bucket: storage.Bucket, name: str, *numbers: int) -> str:
    file = io.BytesIO()
    pq.write_table(pa.table({"n": list(numbers)}), file)
    bucket.blob(name).upload_from_string(file.getvalue())
    return f"gs://{bucket.name}/{name}"


def numbers(client: bigquery.Client, table: str) -> list[int]:
    return sorted(row["n"] for row in client.list_rows(client.get_table(table)))


def test_several_objects_become_the_table(client: bigquery.Client, bucket: storage.Bucket, table: str) -> None:
    job = load_objects(client, [put(bucket, "a.parquet", 1, 2), put(bucket, "b.parquet", 3)], table)
    assert (job.output_rows, numbers(client, table)) == (3, [1, 2, 3])


def test_a_second_load_replaces_the_first(client: bigquery.Client, bucket: storage.Bucket, table: str) -> None:
    first = load_objects(client, [put(bucket, "a.parquet", 1, 2)], table)
    second = load_objects(client, [put(bucket, "a.parquet", 7)], table)
    assert first.job_id != second.job_id
    assert numbers(client, table) == [7]


def test_a_job_whose_answer_was_lost_is_not_begun_again(
    client: bigquery.Client, bucket: storage.Bucket, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, begin, begun = put(bucket, "a.parquet", 1, 2), client.load_table_from_uri, []

    def losing_the_first_answer(*args: object, **kwargs: object) -> object:
        begun.append(begin(*args, **kwargs))
        if len(begun) == 1:
            begun[0].result()
            return begin(*args, **kwargs)
        return begun[-1]

    monkeypatch.setattr(client, "load_table_from_uri", losing_the_first_answer)
    assert load_objects(client, [address], table).job_id == begun[0].job_id
    assert (len(begun), numbers(client, table)) == (1, [1, 2])


def test_a_table_that_was_dropped_is_loaded_again(client: bigquery.Client, bucket: storage.Bucket, table: str) -> None:
    address = put(bucket, "a.parquet", 1, 2)
    first = load_objects(client, [address], table, version="1")
    client.delete_table(table)
    assert load_objects(client, [address], table, version="1").job_id != first.job_id
    assert numbers(client, table) == [1, 2]


def test_a_job_that_failed_does_not_stand_in_the_way(
    client: bigquery.Client, bucket: storage.Bucket, table: str
) -> None:
    bucket.blob("a.parquet").upload_from_string(b"this is no Parquet")
    address = f"gs://{bucket.name}/a.parquet"
    with pytest.raises(Exception, match=r"(?i)parquet"):
        load_objects(client, [address], table)
    put(bucket, "a.parquet", 1, 2)
    load_objects(client, [address], table)
    assert numbers(client, table) == [1, 2]


def test_files_are_uploaded_in_pieces_of_the_size_that_is_set_here() -> None:
    assert bigquery.client._DEFAULT_CHUNKSIZE == CHUNK_BYTES
    assert "chunk_size = _DEFAULT_CHUNKSIZE" in inspect.getsource(bigquery.Client._initiate_resumable_upload)

"""The exporters, against a real Postgres and a real GCS server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import storage

from tests.blocks.conftest import Block
from tests.taxi.making import TRIP, frames_of, text, trip, write_month

Query = Callable[[str], list[tuple[object, ...]]]
MONTHS = ["2020-10", "2020-11", "2020-12"]


@pytest.fixture
def clean(block: Block) -> list[pd.DataFrame]:
    """The sample months, cleaned, in batches."""
    frames = block("data_loaders/load_taxi_trips").load_taxi_trips(months=MONTHS, source="sample_data", stream=True)
    return [block("transformers/clean_taxi_trips").clean_taxi_trips(frame) for frame in frames]


@pytest.fixture
def query(postgres_env: dict[str, str]) -> Iterator[Query]:
    connection = psycopg2.connect(
        host=postgres_env["POSTGRES_HOST"],
        port=postgres_env["POSTGRES_PORT"],
        user=postgres_env["POSTGRES_USER"],
        password=postgres_env["POSTGRES_PASSWORD"],
        dbname=postgres_env["POSTGRES_DBNAME"],
    )

    def query(sql: str) -> list[tuple[object, ...]]:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    yield query
    connection.close()


@pytest.mark.parametrize("stream", [False, True], ids=["frame", "stream"])
def test_postgres_holds_exactly_the_trips(block: Block, clean: list[pd.DataFrame], query: Query, stream: bool) -> None:
    schema = f"mage_{secrets.token_hex(4)}"
    export = block("data_exporters/trips_to_postgres").trips_to_postgres
    for _ in range(2):
        export(iter(clean) if stream else pd.concat(clean, ignore_index=True), schema=schema, table="green_taxi")
    counts = "count(*), count(DISTINCT lpep_pickup_date), round(sum(total_amount)::numeric, 2)::float8"
    total = round(sum(frame["total_amount"].sum() for frame in clean), 2)
    assert query(f"SELECT {counts} FROM {schema}.green_taxi") == [(4575, 95, total)]


def stored(bucket: storage.Bucket, table: str, folder: Path) -> pd.DataFrame:
    """What is in the table, by way of a copy of its files."""
    frames = []
    for blob in bucket.list_blobs(prefix=f"{table}/"):
        path = folder / "copy.parquet"
        blob.download_to_filename(path)
        day = blob.name.split("lpep_pickup_date=")[1].split("/")[0]
        rows = pq.ParquetFile(path).read()
        frames.append(
            rows.append_column("lpep_pickup_date", pa.array([date.fromisoformat(day)] * len(rows), pa.date32()))
        )
    return pa.concat_tables(frames).to_pandas(types_mapper=pd.ArrowDtype)


@pytest.mark.parametrize("stream", [False, True], ids=["frame", "stream"])
def test_the_lake_holds_exactly_the_trips_by_date(
    block: Block, clean: list[pd.DataFrame], bucket: storage.Bucket, tmp_path: Path, stream: bool
) -> None:
    export = block("data_exporters/trips_to_gcs").trips_to_gcs
    export(iter(clean) if stream else pd.concat(clean, ignore_index=True), bucket=bucket.name)
    found, wanted = stored(bucket, "green_taxi", tmp_path), pd.concat(clean, ignore_index=True)
    assert len(list(bucket.list_blobs(prefix="green_taxi/lpep_pickup_date=2020-1"))) == 92
    order = list(wanted.columns)
    pd.testing.assert_frame_equal(
        found[order].sort_values(order, ignore_index=True), wanted.sort_values(order, ignore_index=True)
    )


def test_a_second_load_leaves_no_file_of_the_first(
    block: Block, clean: list[pd.DataFrame], bucket: storage.Bucket
) -> None:
    export = block("data_exporters/trips_to_gcs").trips_to_gcs
    export(iter(clean), bucket=bucket.name)
    export(iter(clean[:1]), bucket=bucket.name)
    days = {blob.name.split("/")[1] for blob in bucket.list_blobs()}
    assert days == {f"lpep_pickup_date={day}" for day in clean[0]["lpep_pickup_date"].unique()}


def test_a_stream_that_breaks_leaves_the_lake(
    block: Block, clean: list[pd.DataFrame], bucket: storage.Bucket, tmp_path: Path
) -> None:
    export = block("data_exporters/trips_to_gcs").trips_to_gcs
    export(iter(clean), bucket=bucket.name)
    before = {blob.name: blob.generation for blob in bucket.list_blobs()}
    write_month(tmp_path, text(TRIP, trip(VendorID="x")))
    with pytest.raises(ValueError, match="line 3"):
        export(frames_of(tmp_path), bucket=bucket.name, partition="pickup_datetime")
    assert {blob.name: blob.generation for blob in bucket.list_blobs()} == before


def test_a_missing_bucket_is_told_before_the_first_trip_is_read(block: Block, gcs_env: dict[str, str]) -> None:
    read: list[object] = []
    with pytest.raises(FileNotFoundError, match="there is no such bucket"):
        block("data_exporters/trips_to_gcs").trips_to_gcs((read.append(1) for _ in range(3)), bucket="nowhere")
    assert read == []

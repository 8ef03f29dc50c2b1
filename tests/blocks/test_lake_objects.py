"""Trips as one object of the lake: written, named after the run's date, read again."""

from __future__ import annotations

import io
from datetime import datetime

import pandas as pd
import pyarrow.parquet as pq
import pytest
from google.cloud import storage

from tests.blocks.conftest import Block

EXPORTER = "data_exporters/trips_to_gcs_object"
LOADER = "data_loaders/load_trips_from_gcs"


@pytest.fixture
def trips(block: Block) -> pd.DataFrame:
    return block("data_loaders/load_taxi_trips").load_taxi_trips(
        service="yellow", months="2021-01", source="sample_data"
    )


def names(bucket: storage.Bucket) -> list[str]:
    return [blob.name for blob in bucket.list_blobs()]


@pytest.mark.parametrize("date", [datetime(2021, 1, 15, 5), "2021-01-15"], ids=["a moment", "a text"])
def test_an_object_is_named_after_service_and_date(
    block: Block, trips: pd.DataFrame, bucket: storage.Bucket, date: object
) -> None:
    block(EXPORTER).trips_to_gcs_object(trips, bucket=bucket.name, service="yellow", execution_date=date)
    assert names(bucket) == ["yellow/2021/01/15/daily-trips.parquet"]


@pytest.mark.parametrize("stream", [False, True], ids=["frame", "stream"])
def test_the_object_holds_the_trips_as_they_were_published(
    block: Block, trips: pd.DataFrame, bucket: storage.Bucket, stream: bool
) -> None:
    data = iter([trips[:1000], trips[1000:]]) if stream else trips
    block(EXPORTER).trips_to_gcs_object(data, bucket=bucket.name, object_key="nyc_taxi_data.parquet")
    table = pq.read_table(io.BytesIO(bucket.blob("nyc_taxi_data.parquet").download_as_bytes()))
    assert table.column_names == list(trips.columns)
    assert str(table.schema.field("tpep_pickup_datetime").type) == "timestamp[us]"
    pd.testing.assert_frame_equal(table.to_pandas(types_mapper=pd.ArrowDtype), trips, check_flags=False)


def test_several_objects_are_read_one_after_another(block: Block, trips: pd.DataFrame, bucket: storage.Bucket) -> None:
    for name, part in {"a.parquet": trips[:10], "b.parquet": trips[10:25]}.items():
        block(EXPORTER).trips_to_gcs_object(part, bucket=bucket.name, object_key=name)
    loading = block(LOADER)
    found = loading.load_trips_from_gcs(bucket=bucket.name, objects=["a.parquet", "b.parquet"])
    assert found["total_amount"].tolist() == trips["total_amount"][:25].tolist()
    loading.test_there_are_trips(found)


def test_no_trips_are_caught(block: Block, trips: pd.DataFrame) -> None:
    with pytest.raises(AssertionError, match="no trips"):
        block(LOADER).test_there_are_trips(trips.head(0))


def test_published_trips_are_split_by_the_dates_of_their_times(
    block: Block, trips: pd.DataFrame, bucket: storage.Bucket
) -> None:
    block("data_exporters/trips_to_gcs").trips_to_gcs(trips, bucket=bucket.name, lake_table="yellow_taxi")
    days = {name.split("/")[1] for name in names(bucket)}
    assert days == {f"tpep_pickup_date={day:%Y-%m-%d}" for day in trips["tpep_pickup_datetime"]}

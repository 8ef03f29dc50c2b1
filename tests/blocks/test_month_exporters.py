"""Months, each loaded exactly once, by the exporters of `taxi_month` into real stores."""

from __future__ import annotations

import io
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import pandas as pd
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery, storage

from mage_project.local import LocalStack
from taxi.load_jobs import bigquery_client
from tests.blocks.conftest import Block

OCTOBER, NOVEMBER = "2020-10", "2020-11"
Month = Callable[..., pd.DataFrame]


@pytest.fixture
def month(block: Block) -> Month:
    """Conformed trips: three of the month itself and one of 2009."""
    conform = block("transformers/conform_taxi_trips").conform_taxi_trips

    def month(
        name: str, *, service: str = "green", issue: str = "1", fares: Iterable[float] = (1, 2, 3, 4), **more: Any
    ) -> pd.DataFrame:
        times = [f"{name}-01", f"{name}-15 08:00:00", f"{name}-28 23:59:59", "2009-01-01"]
        trips = pd.DataFrame(
            {
                "VendorID": pd.array([1, 2, None, 2], pd.ArrowDtype(pa.int32())),
                "lpep_pickup_datetime": pd.array(
                    [pd.Timestamp(time) for time in times], pd.ArrowDtype(pa.timestamp("us"))
                ),
                "total_amount": pd.array(list(fares), pd.ArrowDtype(pa.float64())),
                **{column: pd.array(values, pd.ArrowDtype(pa.float64())) for column, values in more.items()},
            }
        )
        files = [{"service": service, "month": name, "sha256": f"{issue} of {name}", "rows": len(trips)}]
        trips.attrs = {"files": files}
        return conform(trips)

    return month


class Store(Protocol):
    """A table of months in a store."""

    def load(self, trips: pd.DataFrame | Iterator[pd.DataFrame], **variables: Any) -> None:
        """What the pipeline's exporter does."""

    def trips(self) -> list[dict[str, Any]]:
        """Every row of the table; none where there is no table."""


@dataclass(frozen=True, kw_only=True)
class Postgres:
    block: Block
    connection: Any
    schema: str

    def load(self, trips: pd.DataFrame | Iterator[pd.DataFrame], **variables: Any) -> None:
        self.block("data_exporters/month_to_postgres").month_to_postgres(trips, schema=self.schema, **variables)

    def query(self, sql: str) -> list[dict[str, Any]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.format(schema=self.schema))
            return [dict(zip([c.name for c in cursor.description], row, strict=True)) for row in cursor.fetchall()]

    def trips(self) -> list[dict[str, Any]]:
        [there] = self.query("SELECT to_regclass('{schema}.green_trips') IS NOT NULL AS there")
        return self.query("SELECT * FROM {schema}.green_trips") if there["there"] else []


@pytest.fixture
def postgres(block: Block, postgres_env: dict[str, str]) -> Iterator[Postgres]:
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DBNAME"}
    connection = psycopg2.connect(**{word: postgres_env[f"POSTGRES_{name}"] for word, name in names.items()})
    connection.autocommit = True
    yield Postgres(block=block, connection=connection, schema=f"taxi_{secrets.token_hex(4)}")
    connection.close()


@dataclass(frozen=True, kw_only=True)
class Lake:
    block: Block
    bucket: storage.Bucket

    def load(self, trips: pd.DataFrame | Iterator[pd.DataFrame], **variables: Any) -> None:
        self.block("data_exporters/month_to_gcs").month_to_gcs(trips, bucket=self.bucket.name, **variables)

    def trips(self) -> list[dict[str, Any]]:
        rows = []
        for blob in self.bucket.list_blobs():
            if blob.name.endswith(".parquet"):
                day = blob.name.split("source_month=")[1].split("/")[0]
                found = pq.read_table(io.BytesIO(blob.download_as_bytes())).to_pylist()
                rows += [{**row, "source_month": pd.Timestamp(day).date()} for row in found]
        return rows


@pytest.fixture
def gcs(block: Block, bucket: storage.Bucket) -> Lake:
    return Lake(block=block, bucket=bucket)


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    block: Block
    client: bigquery.Client
    dataset: str

    def load(self, trips: pd.DataFrame | Iterator[pd.DataFrame], **variables: Any) -> None:
        self.block("data_exporters/month_to_bigquery").month_to_bigquery(trips, dataset=self.dataset, **variables)

    def trips(self) -> list[dict[str, Any]]:
        tables = {table.table_id for table in self.client.list_tables(self.dataset)} if self._is_there() else ()
        if "green_trips" not in tables:
            return []
        return [dict(row) for row in self.client.list_rows(self.client.get_table(f"{self.dataset}.green_trips"))]

    def _is_there(self) -> bool:
        return self.dataset in {found.dataset_id for found in self.client.list_datasets()}


@pytest.fixture
def warehouse(block: Block, local_stack: LocalStack, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    if lack := local_stack.missing("bigquery"):
        pytest.skip(lack)
    request.getfixturevalue("bigquery_env")
    with closing(bigquery_client({})) as client:
        yield Warehouse(block=block, client=client, dataset=f"taxi_{secrets.token_hex(4)}")


@pytest.fixture(params=["postgres", "gcs", "warehouse"])
def store(request: pytest.FixtureRequest) -> Store:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def amounts(store: Store) -> dict[str, float]:
    """The sum of total_amount of each month."""
    found: Counter[str] = Counter()
    for trip in store.trips():
        found[f"{trip['source_month']:%Y-%m}"] += trip["total_amount"]
    return dict(found)


def test_months_stay_beside_each_other(store: Store, month: Month, capsys: pytest.CaptureFixture[str]) -> None:
    store.load(iter([month(OCTOBER)]))
    store.load(iter([month(NOVEMBER, fares=(5, 6, 7, 8))]))
    assert amounts(store) == {OCTOBER: 10, NOVEMBER: 26}
    assert "2020-11 loaded, 4 rows" in capsys.readouterr().out


def test_an_unchanged_file_changes_nothing_and_says_so(
    store: Store, month: Month, capsys: pytest.CaptureFixture[str]
) -> None:
    store.load(month(OCTOBER))
    before = amounts(store)
    store.load(month(OCTOBER, fares=(9, 9, 9, 9)))  # the same file, so nobody looks at its rows
    assert amounts(store) == before
    assert "2020-10 is loaded already, unchanged (4 rows): nothing was written" in capsys.readouterr().out


def test_a_file_that_was_issued_again_replaces_its_month(
    store: Store, month: Month, capsys: pytest.CaptureFixture[str]
) -> None:
    store.load(iter([month(OCTOBER), month(NOVEMBER)]))
    again = month(OCTOBER, issue="2", fares=(100, 200, 300, 400))
    store.load(iter([again, again]))
    assert amounts(store) == {OCTOBER: 2000, NOVEMBER: 10}
    assert "2020-10 was issued again, 8 rows replace 4" in capsys.readouterr().out


def test_a_month_is_written_anew_where_that_is_asked_for(
    store: Store, month: Month, capsys: pytest.CaptureFixture[str]
) -> None:
    store.load(month(OCTOBER))
    store.load(month(OCTOBER, fares=(2, 2, 2, 2)), reload=True)
    assert amounts(store) == {OCTOBER: 8}
    assert "2020-10 was loaded again, 4 rows replace 4" in capsys.readouterr().out


def test_a_new_column_is_added_and_null_in_the_months_before(store: Store, month: Month) -> None:
    store.load(month(OCTOBER))
    store.load(month(NOVEMBER, cbd_congestion_fee=[0.75, 0.75, None, 0]))
    store.load(month("2020-12"))
    fees = [(f"{trip['source_month']:%m}", trip.get("cbd_congestion_fee")) for trip in store.trips()]
    assert sorted(fees, key=str) == sorted(
        [("10", None)] * 4 + [("11", 0.75), ("11", 0.75), ("11", None), ("11", 0)] + [("12", None)] * 4, key=str
    )


def test_a_month_that_was_loaded_alone_is_unchanged_beside_one_with_more_columns(
    store: Store, month: Month, capsys: pytest.CaptureFixture[str]
) -> None:
    store.load(month(OCTOBER))
    wider = month(OCTOBER, cbd_congestion_fee=[None] * 4)
    wider.attrs["files"][0]["added"] = ["cbd_congestion_fee"]
    store.load(iter([wider, month(NOVEMBER, cbd_congestion_fee=[1, 1, 1, 1])]))
    assert "2020-10 is loaded already, unchanged" in capsys.readouterr().out
    assert amounts(store) == {OCTOBER: 10, NOVEMBER: 10}


def test_a_file_of_which_more_columns_are_loaded_now_replaces_its_month(
    store: Store, month: Month, capsys: pytest.CaptureFixture[str]
) -> None:
    store.load(month(OCTOBER))
    store.load(month(OCTOBER, cbd_congestion_fee=[1, 1, 1, 1]))
    assert "2020-10 has other columns now, 4 rows replace 4" in capsys.readouterr().out
    assert {trip["cbd_congestion_fee"] for trip in store.trips()} == {1}


def test_trips_of_other_months_are_kept_and_flagged(store: Store, month: Month) -> None:
    store.load(month(OCTOBER))
    assert [trip["lpep_pickup_datetime"].year for trip in store.trips() if trip["outside_month"]] == [2009]
    assert len(store.trips()) == 4


def test_a_stream_that_breaks_changes_nothing(store: Store, month: Month) -> None:
    store.load(month(OCTOBER))

    def breaking() -> Iterator[pd.DataFrame]:
        yield month(OCTOBER, issue="2", fares=(9, 9, 9, 9))
        yield month(NOVEMBER)
        raise ValueError("line 7")

    with pytest.raises(ValueError, match="line 7"):
        store.load(breaking())
    assert amounts(store) == {OCTOBER: 10}


def test_a_month_without_trips_takes_the_place_of_one_with_trips(
    store: Store, month: Month, capsys: pytest.CaptureFixture[str]
) -> None:
    store.load(month(OCTOBER))
    empty = month(OCTOBER, issue="2").iloc[:0]
    for _ in range(2):
        store.load(empty)
    assert amounts(store) == {}
    said = capsys.readouterr().out
    assert "0 rows replace 4" in said
    assert "unchanged (0 rows)" in said


@pytest.mark.parametrize("name", [OCTOBER, NOVEMBER], ids=["the same month", "another month"])
def test_a_table_of_one_service_takes_no_month_of_another(store: Store, month: Month, name: str) -> None:
    store.load(month(OCTOBER))
    yellow, names = month(name, service="yellow"), {"table": "green_trips", "bigquery_table": "green_trips"}
    message = rf"holds green 2020-10, and yellow {name} is of another service.*\{{service\}}"
    with pytest.raises(ValueError, match=message):
        store.load(yellow, **names, lake_table="taxi/green")
    assert amounts(store) == {OCTOBER: 10}


def test_frames_that_do_not_say_which_file_they_are_of_are_refused(store: Store, month: Month) -> None:
    trips = month(OCTOBER)
    trips.attrs = {}
    with pytest.raises(ValueError, match=r"result\.attrs = trips\.attrs"):
        store.load(trips)


def test_what_hangs_on_the_table_of_postgres_stays_when_a_month_is_replaced(postgres: Postgres, month: Month) -> None:
    postgres.load(month(OCTOBER))
    with postgres.connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX ON {postgres.schema}.green_trips (vendor_id)")
        cursor.execute(f"CREATE VIEW {postgres.schema}.fares AS SELECT total_amount FROM {postgres.schema}.green_trips")
    postgres.load(month(OCTOBER, issue="2", fares=(5, 5, 5, 5), tips=[1, 1, 1, 1]))
    assert postgres.query("SELECT sum(total_amount) FROM {schema}.fares") == [{"sum": 20}]
    indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = '{schema}' AND tablename = 'green_trips_2020_10'"
    assert postgres.query(indexes) == [{"count": 1}]


def test_what_a_killed_run_of_mage_has_left_beside_is_not_in_the_way(postgres: Postgres, month: Month) -> None:
    postgres.load(month(OCTOBER))
    with postgres.connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {postgres.schema}.green_trips_2020_10_new (half text)")
    postgres.load(month(OCTOBER, issue="2", fares=(5, 5, 5, 5)))
    assert amounts(postgres) == {OCTOBER: 20}


@pytest.mark.parametrize("store", ["postgres", "warehouse"], indirect=True)
def test_a_column_of_another_type_is_refused_with_its_name(store: Store, month: Month) -> None:
    store.load(month(OCTOBER, cbd_congestion_fee=[1, 1, 1, 1]))
    odd = month(NOVEMBER).assign(cbd_congestion_fee=pd.array(["a", "b", "c", "d"], pd.ArrowDtype(pa.string())))
    with pytest.raises(ValueError, match=r"(?i)column cbd_congestion_fee of green 2020-11|green 2020-11: column cbd"):
        store.load(odd)
    assert amounts(store) == {OCTOBER: 10}


Values = list[Any]
FITTING: dict[str, tuple[Values, pa.DataType, Values, pa.DataType]] = {
    "whole numbers after others": ([0.5, 1, 2, 3], pa.float64(), [1, 2, None, 4], pa.int64()),
    "wide whole numbers that are small": ([1, 2, 3, 4], pa.int32(), [1, 2, None, 4], pa.int64()),
    "text without a value": ([1, 2, 3, 4], pa.int64(), [None] * 4, pa.string()),
}


@pytest.mark.parametrize("case", FITTING.values(), ids=FITTING)
def test_a_column_of_another_type_takes_the_type_that_is_there_where_its_values_fit(
    store: Store, month: Month, case: tuple[Values, pa.DataType, Values, pa.DataType]
) -> None:
    first, kind, then, other_kind = case
    store.load(month(OCTOBER).assign(mood=pd.array(first, pd.ArrowDtype(kind))))
    store.load(month(NOVEMBER).assign(mood=pd.array(then, pd.ArrowDtype(other_kind))))
    found = [trip["mood"] for trip in store.trips() if f"{trip['source_month']:%Y-%m}" == NOVEMBER]
    assert Counter(value and float(value) for value in found) == Counter(then)


def test_decimals_of_any_precision_stay_the_same(store: Store, month: Month) -> None:
    values = [Decimal("1.25"), None, Decimal("-3.50"), Decimal("1234567.55")]
    for name, kind in ((OCTOBER, pa.decimal128(9, 2)), (NOVEMBER, pa.decimal128(38, 4))):
        store.load(month(name).assign(mood=pd.array(values, pd.ArrowDtype(kind))))
    assert Counter(trip["mood"] for trip in store.trips()) == Counter(values * 2)


@pytest.mark.parametrize("store", ["postgres", "warehouse"], indirect=True)
def test_a_value_that_the_type_that_is_there_does_not_hold_is_refused(store: Store, month: Month) -> None:
    store.load(month(OCTOBER).assign(mood=pd.array([1, 2, 3, 4], pd.ArrowDtype(pa.int64()))))
    halves = month(NOVEMBER, mood=[1, 2, 2.5, 4])
    with pytest.raises(ValueError, match=r"green 2020-11: column mood is double, and int64 in .* not hold '2\.5'"):
        store.load(halves)
    assert amounts(store) == {OCTOBER: 10}


def test_a_name_that_is_too_long_for_postgres_is_told_with_its_file(postgres: Postgres, month: Month) -> None:
    with pytest.raises(ValueError, match=f"green 2020-10: the name of the column '{'m' * 64}' is too long"):
        postgres.load(month(OCTOBER, **{"m" * 64: [1, 2, 3, 4]}))
    assert amounts(postgres) == {}


def test_a_table_that_keeps_no_months_is_refused(postgres: Postgres, month: Month) -> None:
    with postgres.connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {postgres.schema}")
        cursor.execute(f"CREATE TABLE {postgres.schema}.green_trips (vendor_id integer)")
    with pytest.raises(ValueError, match="is there and keeps no months"):
        postgres.load(month(OCTOBER))


def test_a_partition_of_bigquery_that_somebody_emptied_is_loaded_again(warehouse: Warehouse, month: Month) -> None:
    warehouse.load(month(OCTOBER))
    warehouse.client.delete_table(f"{warehouse.dataset}.green_trips")
    warehouse.load(month(OCTOBER))
    assert amounts(warehouse) == {OCTOBER: 10}


def test_an_object_of_the_lake_that_somebody_deleted_is_loaded_again(gcs: Lake, month: Month) -> None:
    gcs.load(month(OCTOBER))
    [blob] = [blob for blob in gcs.bucket.list_blobs() if blob.name.endswith(".parquet")]
    blob.delete()
    gcs.load(month(OCTOBER))
    assert amounts(gcs) == {OCTOBER: 10}

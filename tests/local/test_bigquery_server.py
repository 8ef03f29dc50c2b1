"""What the launcher puts right in the package: the private names that it touches may go with any other version."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pytest
from google.api_core.exceptions import BadRequest, Conflict, MethodNotImplemented, NotFound
from google.cloud import bigquery, storage

from mage_project.local import LocalStack
from mage_project.local.pythons import PACKAGES
from tests.local.warehouses import DAYS, Dataset, dataset, parquet

local_bigquery = pytest.importorskip("local_bigquery", reason="the packages of the server are for Python 3.13")

BY_DAY = bigquery.TimePartitioning(field="day")


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of a server, in this process."""
    from mage_project.local import bigquery_server
    from mage_project.local.bigquery_server import database

    monkeypatch.setattr(bigquery_server.settings, "data_dir", tmp_path)
    monkeypatch.setattr(database, "FUNCTIONS", [])
    monkeypatch.setattr(database, "duckdb", SimpleNamespace(connect=bigquery_server.connect))
    yield database.connection()
    database.reset()


def test_the_versions_are_those_that_it_was_written_for() -> None:
    pinned = dict(package.split("==") for package in PACKAGES if "==" in package)
    assert {name: version(name) for name in pinned} == pinned


def test_the_extensions_come_from_their_packages(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert connection.sql("SELECT current_setting('autoinstall_known_extensions')").fetchall() == [(False,)]
    connection.execute(f"ATTACH 'ducklake:{tmp_path}/a.ducklake' AS a (DATA_PATH '{tmp_path}/a/')")
    connection.execute("CREATE SECRET (TYPE gcs, KEY_ID '', SECRET '')")


def test_the_macros_that_need_the_network_are_where_they_were() -> None:
    from local_bigquery.engine import database

    assert [path.name for path in database.FUNCTIONS if "INSTALL" in path.read_text()] == ["geography.sql"]


def test_what_bigquery_forgets_is_removed_from_the_disk(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    from mage_project.local import bigquery_server

    for name in ("new", "old"):
        connection.execute(f'CREATE TABLE emulator._results."local:{name}" AS SELECT 1 AS n')
    connection.execute(
        "INSERT INTO emulator.jobs VALUES ('local', 'new', NULL, 'DONE', epoch_ms(now()) + 10 * 86400000, '{}')"
    )
    for n in (1, 2):
        connection.execute(f"CREATE OR REPLACE TABLE local.local.days AS SELECT {n} AS n")
    bigquery_server.tidy()
    assert len(list(tmp_path.rglob("*.parquet"))) == 2
    bigquery_server.tidy(days_ahead=8)
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert connection.sql("SELECT n FROM local.local.days").fetchall() == [(2,)]
    assert connection.sql("SELECT table_name FROM duckdb_tables() WHERE schema_name = '_results'").fetchall() == [
        ("local:new",)
    ]


def test_the_time_zone_is_utc(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.sql("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_no_query_reads_other_files(trips: Dataset, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(BadRequest, match="disabled by configuration"):
        trips.rows(f"SELECT * FROM read_csv('{secret}')")
    with pytest.raises(BadRequest, match="from Cloud Storage only"):
        trips.load_objects(f"file://{secret}", "secret", source_format="CSV", autodetect=True)


def test_without_the_spatial_extension_there_is_no_geography(trips: Dataset) -> None:
    with pytest.raises(BadRequest):
        trips.rows("SELECT ST_ASTEXT(ST_GEOGPOINT(1, 2))")


def test_one_partition_is_replaced(trips: Dataset) -> None:
    trips.load(DAYS, "days", time_partitioning=BY_DAY)
    trips.load(DAYS.slice(0, 1), "days$20210101", write_disposition="WRITE_TRUNCATE")
    trips.load(DAYS.slice(0, 1), "days$20210101", write_disposition="WRITE_APPEND")
    assert trips.rows("SELECT n, COUNT(*) FROM {}.days GROUP BY n ORDER BY n") == [(1, 2), (2, 1)]


def test_a_partition_is_loaded_from_objects(trips: Dataset, bucket: storage.Bucket) -> None:
    bucket.blob("day.parquet").upload_from_string(parquet(DAYS.slice(1)))
    uri = "gs://bigquery-lake/day.parquet"
    for _ in "ab":
        trips.load_objects(uri, "days$20210102", write_disposition="WRITE_TRUNCATE", time_partitioning=BY_DAY)
    assert trips.rows("SELECT n FROM {}.days") == [(2,)]


def test_a_query_writes_one_partition_and_shows_it(trips: Dataset) -> None:
    trips.load(DAYS, "days", time_partitioning=BY_DAY)
    destination = bigquery.TableReference.from_string(f"local.{trips.name}.days$20210102")
    config = bigquery.QueryJobConfig(destination=destination, write_disposition="WRITE_TRUNCATE")
    job = trips.client.query("SELECT DATE '2021-01-02' AS day, 9 AS n", job_config=config)
    assert [row.n for row in job.result()] == [9]
    assert trips.rows("SELECT n FROM {}.days ORDER BY n") == [(1,), (9,)]


def test_rows_of_other_partitions_are_refused_and_nothing_is_lost(trips: Dataset) -> None:
    trips.load(DAYS, "days", time_partitioning=BY_DAY)
    with pytest.raises(BadRequest, match="belong to different partitions"):
        trips.load(DAYS, "days$20210101", write_disposition="WRITE_TRUNCATE")
    assert trips.get("days").num_rows == 2


def test_a_partition_that_should_be_empty_and_is_not_is_a_conflict(trips: Dataset) -> None:
    trips.load(DAYS.slice(0, 1), "days", time_partitioning=BY_DAY)
    trips.load(DAYS.slice(1), "days$20210102", write_disposition="WRITE_EMPTY")
    with pytest.raises(Conflict):
        trips.load(DAYS.slice(1), "days$20210102", write_disposition="WRITE_EMPTY")


@pytest.mark.parametrize(
    ("layout", "decorator"),
    [
        ({"time_partitioning": bigquery.TimePartitioning(field="day", type_="MONTH")}, "202101"),
        ({"time_partitioning": bigquery.TimePartitioning(field="day", type_="YEAR")}, "2021"),
        (
            {
                "range_partitioning": bigquery.RangePartitioning(
                    field="n", range_=bigquery.PartitionRange(start=0, end=100, interval=10)
                )
            },
            "0",
        ),
    ],
    ids=["month", "year", "range"],
)
def test_partitions_of_every_kind_are_replaced(trips: Dataset, layout: dict[str, object], decorator: str) -> None:
    trips.load(DAYS, "days", **layout)
    trips.load(DAYS, f"days${decorator}", write_disposition="WRITE_TRUNCATE")
    assert trips.get("days").num_rows == 2


def test_partitions_by_load_time_are_refused(trips: Dataset) -> None:
    trips.load(DAYS, "days")
    with pytest.raises(MethodNotImplemented, match="partitions by a column only"):
        trips.load(DAYS, "days$20210101", write_disposition="WRITE_TRUNCATE")


def test_deleted_rows_do_not_count(trips: Dataset) -> None:
    trips.load(DAYS, "days")
    trips.rows("DELETE FROM {}.days WHERE n = 1")
    assert trips.get("days").num_rows == 1


def test_a_copied_table_keeps_its_layout(trips: Dataset) -> None:
    trips.load(DAYS, "days", time_partitioning=BY_DAY, clustering_fields=["n"])
    trips.client.copy_table(f"local.{trips.name}.days", f"local.{trips.name}.copy").result()
    assert trips.get("copy").time_partitioning == BY_DAY
    assert trips.get("copy").clustering_fields == ["n"]


def test_a_copy_of_one_partition_is_refused(trips: Dataset) -> None:
    trips.load(DAYS, "days", time_partitioning=BY_DAY)
    with pytest.raises(NotFound):
        trips.client.copy_table(f"local.{trips.name}.days$20210101", f"local.{trips.name}.copy").result()


@pytest.mark.parametrize(
    ("kind", "content"),
    [("CSV", b"n,zone\n1,Astoria\n"), ("NEWLINE_DELIMITED_JSON", b'{"n": 1, "zone": "Astoria"}\n')],
    ids=["csv", "json"],
)
def test_an_upload_may_be_compressed(trips: Dataset, kind: str, content: bytes) -> None:
    trips.load(gzip.compress(content), "zones", source_format=kind, autodetect=True)
    assert trips.rows("SELECT n, zone FROM {}.zones") == [(1, "Astoria")]


def test_bytes_in_parquet_are_kept_where_a_schema_is_given(trips: Dataset) -> None:
    schema = [
        bigquery.SchemaField("raw", "BYTES"),
        bigquery.SchemaField("nested", "RECORD", fields=[bigquery.SchemaField("raw", "BYTES")]),
    ]
    trips.load(pa.table({"raw": [b"\x00\xff"], "nested": [{"raw": b"\xfe"}]}), "blobs", schema=schema)
    assert trips.rows("SELECT raw, nested.raw FROM {}.blobs") == [(b"\x00\xff", b"\xfe")]


def test_bytes_in_text_files_are_base64(trips: Dataset) -> None:
    schema = [bigquery.SchemaField("raw", "BYTES")]
    trips.load(b"AP8=\n", "blobs", source_format="CSV", schema=schema)
    assert trips.rows("SELECT raw FROM {}.blobs") == [(b"\x00\xff",)]


@pytest.mark.parametrize("create", ["CREATE EXTERNAL TABLE", "CREATE OR REPLACE EXTERNAL TABLE"])
def test_an_external_table_is_refused(trips: Dataset, create: str) -> None:
    with pytest.raises(MethodNotImplemented, match="no external tables"):
        trips.rows(create + " {}.outside OPTIONS (format = 'PARQUET', uris = ['gs://lake/*.parquet'])")
    assert list(trips.client.list_tables(trips.name)) == []


def test_an_external_table_of_the_api_is_refused(trips: Dataset) -> None:
    table = bigquery.Table(f"local.{trips.name}.outside")
    table.external_data_configuration = bigquery.ExternalConfig("PARQUET")
    with pytest.raises(MethodNotImplemented, match="no external tables"):
        trips.client.create_table(table)


def test_a_wildcard_goes_through_folders(trips: Dataset, bucket: storage.Bucket) -> None:
    for name in ("green/2021/01.parquet", "green/02.parquet", "green/notes.txt", "yellow/01.parquet"):
        bucket.blob(name).upload_from_string(parquet(DAYS))
    assert trips.load_objects("gs://bigquery-lake/green/*.parquet", "days").output_rows == 4
    with pytest.raises(NotFound, match="red"):
        trips.load_objects("gs://bigquery-lake/red/*", "days")


def test_without_the_local_gcs_an_address_is_an_error(project: Path) -> None:
    stack = LocalStack(project)
    stack.up(("bigquery",))
    with dataset(stack) as empty, pytest.raises(BadRequest):
        empty.load_objects("gs://lake/days.parquet", "days")
    stack.down()

"""All pipelines of the course, one after another on the sample months, and what is in the three stores then."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from mage_project.local import LocalStack
from taxi.course import NEED_BIGQUERY, PIPELINES
from tests.pipelines.lab import PARTS, PROJECT

pytestmark = pytest.mark.slow
GREEN = ["2020-10", "2020-11", "2020-12"]
WITH_PASSENGERS = 2732


@dataclass(frozen=True, kw_only=True)
class Course:
    """The project after the course: what the command printed, and clients of its stores."""

    printed: str
    postgres: Any
    gcs: storage.Client
    bigquery: bigquery.Client

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.postgres.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def object(self, name: str) -> pa.Table:
        return pq.read_table(io.BytesIO(self.gcs.bucket("nyc-taxi-lake").blob(name).download_as_bytes()))

    def table(self, name: str) -> bigquery.Table:
        return self.bigquery.get_table(f"ny_taxi.{name}")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    root = copied(tmp_path_factory.mktemp("course"))
    stack = LocalStack(root)
    if lack := stack.missing("bigquery"):
        pytest.skip(lack)
    stack.up()
    done = subprocess.run([sys.executable, "-m", "taxi.course"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    env = stack.env()
    postgres = psycopg2.connect(
        host=env["PGHOST"], port=env["PGPORT"], user=env["PGUSER"], password=env["PGPASSWORD"], dbname=env["PGDATABASE"]
    )
    nobody = {"project": "local", "credentials": AnonymousCredentials()}
    with (
        closing(postgres),
        closing(storage.Client(**nobody, client_options={"api_endpoint": env["STORAGE_EMULATOR_HOST"]})) as gcs,
        closing(bigquery.Client(**nobody, client_options={"api_endpoint": env["BIGQUERY_EMULATOR_HOST"]})) as queries,
    ):
        yield Course(printed=done.stdout, postgres=postgres, gcs=gcs, bigquery=queries)
    stack.down()


def copied(root: Path) -> Path:
    for part in PARTS:
        copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy2
        copy(PROJECT / part, root / part)
    return root


def test_where_no_bigquery_can_run_what_needs_one_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without/sitecustomize.py").write_text("import sys\nsys.modules['local_bigquery'] = None\n")
    (tmp_path / "course").mkdir()
    root = copied(tmp_path / "course")
    command = [sys.executable, "-m", "taxi.course", "taxi_zones", "gcs_to_bigquery"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "without")}
    if sys.version_info[:2] != (3, 13):
        pytest.skip("another Python runs the server: what this one lacks says nothing")
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"·  taxi_zones +5 +265", done.stdout)
    assert "no local BigQuery can run here (the package local_bigquery is not installed" in done.stdout
    assert done.stdout.endswith("  trips_to_bigquery of taxi_zones\n  gcs_to_bigquery\n")


def sample(service: str, month: str) -> list[dict[str, str]]:
    path = PROJECT / "sample_data" / service / f"{service}_tripdata_{month}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def yellow_with_passengers() -> list[dict[str, str]]:
    return [trip for trip in sample("yellow", "2021-01") if int(trip["passenger_count"] or 0) > 0]


def clean_green() -> list[dict[str, str]]:
    trips = [trip for month in GREEN for trip in sample("green", month)]
    return [trip for trip in trips if int(trip["passenger_count"] or 0) > 0 and float(trip["trip_distance"]) > 0]


def test_one_table_tells_of_all_pipelines(course: Course) -> None:
    lines = [line.split() for line in course.printed.splitlines() if line.startswith("✓")]
    assert [line[1] for line in lines] == list(PIPELINES)
    passed = [re.search(r"(\d+) of (\d+)", line) for line in course.printed.splitlines() if line.startswith("✓")]
    assert all(found and found[1] == found[2] != "0" for found in passed)


def test_every_pipeline_but_the_one_for_any_month_is_in_the_course() -> None:
    there = {path.parent.name for path in (PROJECT / "pipelines").glob("*/metadata.yaml")}
    assert there == {*PIPELINES, "taxi_month"}
    assert set(NEED_BIGQUERY) < set(PIPELINES)


def test_postgres_has_the_yellow_month(course: Course) -> None:
    trips = yellow_with_passengers()
    total = sum(Decimal(trip["total_amount"]) for trip in trips)
    assert len(trips) == WITH_PASSENGERS
    found = course.rows(
        "SELECT count(*), sum(total_amount::numeric), min(passenger_count) FROM ny_taxi.yellow_cab_data"
    )
    assert found == [(WITH_PASSENGERS, total, 1)]


def test_the_lake_has_the_yellow_month_twice(course: Course) -> None:
    whole = course.object("nyc_taxi_data.parquet")
    assert (whole.num_rows, whole.num_columns) == (WITH_PASSENGERS, 18)
    days = Counter(trip["tpep_pickup_datetime"][:10] for trip in yellow_with_passengers())
    blobs = [blob.name for blob in course.gcs.list_blobs("nyc-taxi-lake", prefix="yellow_taxi/")]
    assert {name.split("=")[1].split("/")[0]: course.object(name).num_rows for name in blobs} == days


def test_bigquery_has_the_yellow_month_by_load_job_and_by_sql(course: Course) -> None:
    assert course.table("yellow_cab_data").num_rows == WITH_PASSENGERS
    staged = course.table("dev_gcs_to_bigquery_standardise_column_names_v1")
    assert {field.name for field in staged.schema} >= {"vendorid", "pulocationid", "tpep_pickup_datetime"}


def test_a_month_is_named_after_the_run_s_date(course: Course) -> None:
    assert course.object("green/2020/10/01/daily-trips.parquet").num_rows == len(sample("green", "2020-10"))


def test_the_zones_are_the_same_in_all_stores(course: Course) -> None:
    with (PROJECT / "sample_data" / "misc" / "taxi_zone_lookup.csv").open(newline="") as lines:
        zones = {(int(zone["LocationID"]), zone["Borough"], zone["Zone"]) for zone in csv.DictReader(lines)}
    assert len(zones) == 265
    assert set(course.rows("SELECT locationid, borough, _zone FROM ny_taxi.taxi_zones")) == zones
    lake = course.object("taxi_zones.parquet").to_pylist()
    assert {(zone["locationid"], zone["borough"], zone["zone"]) for zone in lake} == zones
    warehouse = course.bigquery.list_rows(course.table("taxi_zones"))
    assert {(zone["locationid"], zone["borough"], zone["zone"]) for zone in warehouse} == zones


def test_three_stores_have_the_green_quarter(course: Course) -> None:
    trips = len(clean_green())
    assert course.rows("SELECT count(*) FROM mage.green_taxi") == [(trips,)]
    assert course.table("green_taxi").num_rows == trips
    blobs = course.gcs.list_blobs("nyc-taxi-lake", prefix="green_taxi/")
    assert sum(course.object(blob.name).num_rows for blob in blobs) == trips


def test_the_revenue_is_what_the_files_add_up_to(course: Course) -> None:
    with (PROJECT / "sample_data" / "misc" / "taxi_zone_lookup.csv").open(newline="") as lines:
        zones = {zone["LocationID"]: zone["Zone"] for zone in csv.DictReader(lines) if zone["Borough"] != "Unknown"}
    wanted: dict[tuple[str, str, str], list[Any]] = defaultdict(lambda: [0, Decimal()])
    for service, trips in {"Green": clean_green(), "Yellow": yellow_with_passengers()}.items():
        for trip in trips:
            pickup = next(value for name, value in trip.items() if name.endswith("pickup_datetime"))
            if trip["PULocationID"] in zones and trip["DOLocationID"] in zones:
                line = wanted[zones[trip["PULocationID"]], pickup[:7], service]
                line[0] += 1
                line[1] += Decimal(trip["total_amount"])
    found = course.rows(
        "SELECT revenue_zone, to_char(revenue_month, 'YYYY-MM'), service_type, total_monthly_trips,"
        " revenue_monthly_total_amount FROM ny_taxi.monthly_zone_revenue"
    )
    assert {line[:3]: list(line[3:]) for line in found} == dict(wanted)
    assert sum(line[3] for line in found) == 7241

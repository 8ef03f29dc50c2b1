"""Measures the memory that a high-volume month needs: some 20 million trips of 24 columns, from Parquet to a count.

    python benchmarks/high_volume.py                          # row groups of a million rows, as TLC writes them
    python benchmarks/high_volume.py --group-rows 20000000    # all of them in one
    python benchmarks/high_volume.py --rows 3000000           # a quick look
    python benchmarks/high_volume.py --stores                 # taxi_month: checked, into Postgres, a lake and BigQuery
    python benchmarks/high_volume.py --stores --yellow        # the same for yellow trips, from csv.gz

With --stores it needs 20 GB of disk for a while: the stores are local ones of its own, and it counts the rows in each
of them. The month is invented, drawn from a seed, and kept in benchmarks/data. The exit code is 1 where the peak is
over the target.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import months
import projects
from measure import RunFailed, Sample, Variant, measured
from months import DATA

if TYPE_CHECKING:
    import pyarrow as pa

PROJECT = Path(__file__).parent.parent
BUCKET = "high-volume"
TARGET_BYTES = 300_000_000
MONTH = "2024-01"
CHUNK_ROWS = 1_000_000  # made once and written again and again
TLC_GROUP_ROWS = 1_048_576
DOLLARS = tuple("base_passenger_fare tolls bcf sales_tax congestion_surcharge airport_fee tips driver_pay".split())
FLAGS = ("shared_request_flag", "shared_match_flag", "access_a_ride_flag", "wav_request_flag", "wav_match_flag")
COUNT = """
import sys
from taxi.trips import month_frames
rows = dollars = 0
for frame in month_frames("fhvhv", sys.argv[1], sys.argv[2], project="."):
    rows, dollars = rows + len(frame), dollars + frame["base_passenger_fare"].sum()
assert rows == int(sys.argv[3]), rows
"""


def chunk() -> pa.Table:
    """A million trips in the columns and types of TLC's fhvhv files."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(20240101)
    pickup = np.datetime64(MONTH, "us").astype("int64") + random.integers(0, 31 * 86_400, CHUNK_ROWS) * 1_000_000

    def text(*values: str) -> pa.Array:
        return pa.array(random.choice(values, CHUNK_ROWS))

    def time(minutes: int) -> pa.Array:
        return pa.array(pickup + minutes * 60_000_000, pa.timestamp("us"))

    def zones() -> pa.Array:
        return pa.array(random.integers(1, 266, CHUNK_ROWS), pa.int32())

    def dollars() -> pa.Array:
        return pa.array(np.round(random.exponential(12, CHUNK_ROWS), 2))

    return pa.table(
        {
            "hvfhs_license_num": text("HV0003", "HV0005"),
            "dispatching_base_num": text("B03404", "B03406"),
            "originating_base_num": text("B03404", "B03406"),
            "request_datetime": time(-5),
            "on_scene_datetime": time(-1),
            "pickup_datetime": time(0),
            "dropoff_datetime": time(19),
            "PULocationID": zones(),
            "DOLocationID": zones(),
            "trip_miles": dollars(),
            "trip_time": pa.array(random.integers(60, 6000, CHUNK_ROWS)),
            **{name: dollars() for name in DOLLARS},
            **{name: text("Y", "N") for name in FLAGS},
        }
    )


def ensure_month(rows: int, group_rows: int) -> Path:
    """The folder with the month, made when it is not there yet: by another process, so that this one stays small."""
    path = DATA / f"fhvhv-{rows}-in-groups-of-{group_rows}" / f"fhvhv_tripdata_{MONTH}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        maker = get_context("spawn").Process(target=write_month, args=(path, rows, group_rows))
        maker.start()
        maker.join()
    return path.parent


def write_month(path: Path, rows: int, group_rows: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    trips = chunk()
    parts = [trips.slice(0, min(CHUNK_ROWS, rows - start)) for start in range(0, rows, CHUNK_ROWS)]
    part = path.with_suffix(".part")
    pq.write_table(pa.concat_tables(parts), part, compression="zstd", row_group_size=group_rows)
    part.replace(path)


def counted(source: Path, rows: int, folder: Path) -> Sample:
    """Read the month, and no more."""
    command = [sys.executable, "-c", COUNT, MONTH, str(source), str(rows)]
    return measured(Variant(name="count", command=command, env={"PYTHONPATH": str(PROJECT)}, folder=folder))


def loaded(service: str, month: str, source: Path, rows: int, folder: Path) -> Sample:
    """Load the month with taxi_month into three stores, which are there as long as this takes. Raises RunFailed."""
    from mage_project.local.stack import SERVICES, LocalStack

    project = projects.shipped_copy(folder / "project")
    stack = LocalStack(folder)
    stack.up(SERVICES)
    try:
        stack.ensure_buckets([BUCKET])
        variables = {"service": service, "months": month, "source": source, "bucket": BUCKET}
        words = (f"--var={name}={value}" for name, value in variables.items())
        env = {**os.environ, **stack.env(SERVICES)}
        command = projects.runner("run", "taxi_month", *words)
        sample = measured(Variant(name="load", command=command, env=env, folder=project))
        found = in_stores(f"{service}_trips", f"taxi/{service}/", env)
    finally:
        stack.down()
    print(f"rows in Postgres, in the lake, in BigQuery: {', '.join(f'{count:,}' for count in found)}")
    if set(found) != {rows}:
        raise RunFailed(f"did not leave {rows:,} rows in each store")
    return sample


def in_stores(table: str, lake: str, env: dict[str, str]) -> Sequence[int]:
    """How many rows are in the table in Postgres, in the lake's Parquet, and in the table in BigQuery."""
    import psycopg2
    import pyarrow.parquet as pq

    os.environ.update(env)
    sys.path.append(str(PROJECT))
    from taxi.google_clients import storage_client
    from taxi.load_jobs import bigquery_client

    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DBNAME"}
    with psycopg2.connect(**{word: env[f"POSTGRES_{name}"] for word, name in names.items()}) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT count(*) FROM taxi.{table}")
        (in_postgres,) = cursor.fetchone() or (0,)
    blobs = [blob for blob in storage_client({}).list_blobs(BUCKET, prefix=lake) if blob.name.endswith(".parquet")]
    in_lake = sum(pq.read_metadata(blob.open("rb")).num_rows for blob in blobs)
    [(in_bigquery,)] = bigquery_client({}).query_and_wait(f"SELECT count(*) FROM taxi.{table}")
    return in_postgres, in_lake, in_bigquery


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, help="trips in the month (default: 20000000, of yellow ones 7700000)")
    parser.add_argument("--group-rows", type=int, default=TLC_GROUP_ROWS, help="rows of a row group")
    parser.add_argument("--stores", action="store_true", help="load them into three stores, with taxi_month")
    parser.add_argument("--yellow", action="store_true", help="with --stores: yellow trips, from csv.gz")
    asked = parser.parse_args()
    rows = asked.rows or (7_700_000 if asked.yellow else 20_000_000)
    if asked.yellow:
        source, what = months.ensure_month(rows).parent.parent, f"{rows:,} yellow rows of csv.gz"
    else:
        source, what = ensure_month(rows, asked.group_rows), f"{rows:,} rows in row groups of {asked.group_rows:,}"
    with tempfile.TemporaryDirectory(dir=DATA) as name:
        folder = Path(name)
        if asked.stores or asked.yellow:
            service, month = ("yellow", months.MONTH) if asked.yellow else ("fhvhv", MONTH)
            sample = loaded(service, month, source, rows, folder)
        else:
            sample = counted(source, rows, folder)
    peak = sample.peak_rss_bytes
    print(
        f"{what}: {sample.wall_s:.1f} s, {sample.cpu_s:.1f} s of processor time, "
        f"{peak / 1e6:,.0f} MB at most (target: {TARGET_BYTES / 1e6:,.0f} MB)"
    )
    return int(peak > TARGET_BYTES)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunFailed as failure:
        sys.exit(f"{failure}\n{failure.said}")

"""Measures the memory that a high-volume month needs: some 20 million trips of 24 columns, from Parquet to a count.

    python benchmarks/high_volume.py                          # row groups of a million rows, as TLC writes them
    python benchmarks/high_volume.py --group-rows 20000000    # all of them in one
    python benchmarks/high_volume.py --rows 3000000           # a quick look

The month is invented, drawn from a seed, and kept in benchmarks/data. The exit code is 1 where the peak is over
the target.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Variant, measured
from months import DATA

if TYPE_CHECKING:
    import pyarrow as pa

PROJECT = Path(__file__).parent.parent
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


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000, help="trips in the month (default: 20000000)")
    parser.add_argument("--group-rows", type=int, default=TLC_GROUP_ROWS, help="rows of a row group")
    asked = parser.parse_args()
    month = ensure_month(asked.rows, asked.group_rows)
    command = [sys.executable, "-c", COUNT, MONTH, str(month), str(asked.rows)]
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        sample = measured(Variant(name="count", command=command, env={"PYTHONPATH": str(PROJECT)}, folder=Path(folder)))
    peak = sample.peak_rss_bytes
    print(
        f"{asked.rows:,} rows in row groups of {asked.group_rows:,}: {sample.wall_s:.1f} s, "
        f"{peak / 1e6:,.0f} MB at most (target: {TARGET_BYTES / 1e6:,.0f} MB)"
    )
    return int(peak > TARGET_BYTES)


if __name__ == "__main__":
    sys.exit(main())

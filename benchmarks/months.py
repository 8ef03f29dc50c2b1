"""Makes yellow months of any number of rows, in the layout and the handwriting of the course's releases.

Everything is drawn from a seed: the same rows and seed give the same file, byte for byte. About 90 % of
the rows pass `passenger_count > 0 and trip_distance > 0`, as in real months since 2020: 5.5 % are dispatched
trips without vendor, passengers and payment (they stand at the file's end, as in the releases), 2.5 % have no
passengers, 1.6 % no distance.

    python benchmarks/months.py --rows 1400000        # prints the file's path
"""

from __future__ import annotations

import argparse
import gzip
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

DATA = Path(__file__).parent / "data"
MONTH = "2021-05"
DAYS = 31
SEED = 20210501
#: Rows made and written at a time: some 22 MB of text, so memory does not grow with the month.
CHUNK_ROWS = 262_144
DISPATCHED_SHARE = 0.055
#: One trip in so many carries a date from another time, as real meters do.
STRAY_EVERY = 40_000
STRAY_DAYS = 24


def month_file(rows: int, *, folder: Path = DATA) -> Path:
    """Where the month of so many rows lies: every size has a releases' layout of its own below `folder`."""
    return folder / f"rows-{rows}" / "yellow" / f"yellow_tripdata_{MONTH}.csv.gz"


def ensure_month(rows: int, *, folder: Path = DATA, seed: int = SEED) -> Path:
    """The month's file, made when it is not there yet; appears under its name only when whole."""
    path = month_file(rows, folder=folder)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".part-{os.getpid()}")
        try:
            write_month(part, rows, seed)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


def write_month(path: Path, rows: int, seed: int) -> None:
    """Writes `rows` trips to a gzip file without a time stamp; a thread makes the next chunk meanwhile."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 5, raw, mtime=0) as out,
        ThreadPoolExecutor(1) as maker,
    ):
        ahead = maker.submit(text, 0, rows, seed)
        for start in range(CHUNK_ROWS, rows + CHUNK_ROWS, CHUNK_ROWS):
            packed = ahead.result()
            if start < rows:
                ahead = maker.submit(text, start, rows, seed)
            out.write(packed)


def text(start: int, rows: int, seed: int) -> pa.Buffer:
    """The lines of the chunk from row `start`, the header before the first one."""
    import pyarrow as pa
    import pyarrow.csv as csv

    chunk = trips(start, min(CHUNK_ROWS, rows - start), rows, seed)
    out = pa.BufferOutputStream()
    if start == 0:
        out.write((",".join(chunk.column_names) + "\n").encode())
    csv.write_csv(chunk, out, csv.WriteOptions(include_header=False, quoting_style="none"))
    return out.getvalue()


def trips(start: int, count: int, rows: int, seed: int) -> pa.Table:
    """The trips from row `start` of a month of `rows`: 18 columns, null where a field is empty."""
    import numpy as np

    rng = np.random.default_rng([seed, rows, start])
    row = np.arange(start, start + count)
    dispatched = row >= int(rows * (1 - DISPATCHED_SHARE))
    pickup = pickups(rng, row, rows, dispatched)
    miles = distances(rng, count)
    seconds = (miles * 230 * rng.lognormal(0.0, 0.35, count)).astype(np.int64) + rng.integers(60, 400, count)
    return table(rng, pickup, pickup + seconds, miles, dispatched)


def pickups(rng: np.random.Generator, row: Ints, rows: int, dispatched: Mask) -> Ints:
    """Seconds since 1970: nearly in order within the month; dispatched trips begin at its start again."""
    import numpy as np

    month_start = np.datetime64(MONTH, "s").astype(np.int64)
    first_dispatched = int(rows * (1 - DISPATCHED_SHARE))
    part = np.where(dispatched, (row - first_dispatched) / max(rows - first_dispatched, 1), row / rows)
    seconds = part * DAYS * 86_400 + rng.normal(0.0, 2_400.0, len(row))
    inside: Ints = month_start + np.clip(seconds, 0, DAYS * 86_400 - 1).astype(np.int64)
    stray = rng.integers(0, STRAY_EVERY, len(row)) == 0
    stray_day = month_start - rng.integers(1, STRAY_DAYS + 1, len(row)) * 97 * 86_400
    return np.where(stray, stray_day + inside % 86_400, inside)


def distances(rng: np.random.Generator, count: int) -> Floats:
    """Miles with two decimals, 1.7 in the middle, below 100; 1.6 % are zero."""
    import numpy as np

    miles = np.clip(np.round(rng.lognormal(0.55, 0.85, count), 2), 0.01, 99.99)
    miles[rng.random(count) < 0.016] = 0.0
    return miles


def table(rng: np.random.Generator, pickup: Ints, dropoff: Ints, miles: Floats, dispatched: Mask) -> pa.Table:
    """Draws what hangs on time and distance, and lays the columns out as the releases do."""
    import numpy as np
    import pyarrow as pa

    count = len(pickup)
    fares = fare_columns(rng, pickup, miles, dispatched)

    def drawn(values: list[int], shares: list[float]) -> pa.Array:
        return pa.array(rng.choice(values, count, p=shares), mask=dispatched)

    return pa.table(
        {
            "VendorID": drawn([1, 2], [0.34, 0.66]),
            "tpep_pickup_datetime": pa.array(pickup, pa.timestamp("s")),
            "tpep_dropoff_datetime": pa.array(dropoff, pa.timestamp("s")),
            "passenger_count": drawn([0, 1, 2, 3, 4, 5, 6], [0.025, 0.735, 0.14, 0.035, 0.015, 0.03, 0.02]),
            "trip_distance": distance_text(miles),
            "RatecodeID": drawn([1, 2, 3, 4, 5, 99], [0.957, 0.025, 0.004, 0.002, 0.0115, 0.0005]),
            "store_and_fwd_flag": pa.array(np.where(rng.random(count) < 0.009, "Y", "N"), mask=dispatched),
            "PULocationID": zones(rng, count),
            "DOLocationID": zones(rng, count),
            "payment_type": drawn([1, 2, 3, 4], [0.73, 0.26, 0.006, 0.004]),
            **{name: pa.array(amounts) for name, amounts in fares.items()},
        }
    )


def distance_text(miles: Floats) -> pa.Array:
    """Two decimals and no leading zero (`.79`, `1.70`), as the releases write distances."""
    import numpy as np
    import pyarrow as pa

    spelled = pa.array([f"{hundredths / 100:.2f}".removeprefix("0") for hundredths in range(10_000)])
    return spelled.take(pa.array(np.round(miles * 100).astype(np.int64)))


def zones(rng: np.random.Generator, count: int) -> Ints:
    """Zone ids 1 to 265, a few dozen of them with most of the trips."""
    import numpy as np

    crowd = (rng.beta(0.5, 2.0, count) * 265).astype(np.int64)
    shuffled: Ints = np.random.default_rng(SEED).permutation(265) + 1
    return shuffled[crowd]


def fare_columns(rng: np.random.Generator, pickup: Ints, miles: Floats, dispatched: Mask) -> dict[str, Floats]:
    """The eight amounts in dollars; total_amount is the sum of the others, one trip in 300 is a refund."""
    import numpy as np

    count = len(miles)
    hour = pickup % 86_400 // 3600
    fare = np.round((2.5 + 2.6 * miles + rng.exponential(2.0, count)) * 2) / 2
    tipped = rng.random(count) < 0.68
    amounts = {
        "fare_amount": np.where(dispatched, np.round(fare + rng.random(count) * 9, 2), fare),
        "extra": np.select([dispatched, hour >= 20, hour >= 16], [0.0, 0.5, 1.0], 0.0) + 2.5 * (hour % 3 == 0),
        "mta_tax": np.where(rng.random(count) < 0.993, 0.5, 0.0),
        "tip_amount": np.where(tipped, np.round(fare * rng.normal(0.24, 0.06, count).clip(0.01), 2), 0.0),
        "tolls_amount": np.where(rng.random(count) < 0.04, 6.12, 0.0),
        "improvement_surcharge": np.full(count, 0.3),
        "congestion_surcharge": np.where(dispatched | (rng.random(count) < 0.09), 0.0, 2.5),
    }
    sign = np.where(rng.random(count) < 1 / 300, -1.0, 1.0)
    signed = {name: amount * sign + 0.0 for name, amount in amounts.items()}
    signed["total_amount"] = np.round(sum(signed.values()), 2) + 0.0
    signed["congestion_surcharge"] = signed.pop("congestion_surcharge")  # the last column of a release
    return signed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, required=True, help="trips in the month")
    parser.add_argument("--folder", type=Path, default=DATA, help="where months are kept (default: benchmarks/data)")
    wanted = parser.parse_args()
    print(ensure_month(wanted.rows, folder=wanted.folder))


if __name__ == "__main__":
    main()

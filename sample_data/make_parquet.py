"""Makes the Parquet samples: invented months of all four services in the columns and types of TLC's files of 2025.

    python sample_data/make_parquet.py [FOLDER]

Like make.py every trip is drawn from a seeded generator. The yellow months are the last one before and the first one
with the fee of the congestion zone, `cbd_congestion_fee`.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import make
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

TRIPS = {
    ("yellow", "2024-12"): 400,
    ("yellow", "2025-01"): 500,
    ("green", "2025-01"): 300,
    ("fhv", "2025-01"): 300,
    ("fhvhv", "2025-01"): 400,
}
TIME, ID, COUNT, DOLLARS, TEXT = pa.timestamp("us"), pa.int32(), pa.int64(), pa.float64(), pa.large_string()
TYPES = {
    "VendorID": ID,
    "PULocationID": ID,
    "DOLocationID": ID,
    "passenger_count": COUNT,
    "RatecodeID": COUNT,
    "payment_type": COUNT,
    "trip_type": COUNT,
    "store_and_fwd_flag": TEXT,
}
AMOUNTS = "base_passenger_fare tolls bcf sales_tax congestion_surcharge airport_fee tips driver_pay".split()
FLAGS = "shared_request_flag shared_match_flag access_a_ride_flag wav_request_flag wav_match_flag".split()


def month_table(service: str, month: str, trips: int) -> pa.Table:
    """One month as TLC would write it."""
    if service in ("yellow", "green"):
        return _metered(service, month, trips)
    random = Random(f"{service} {month}")  # noqa: S311 (nothing to keep secret)
    draw = _dispatched if service == "fhv" else _high_volume
    rows = sorted((draw(random, month) for _ in range(trips)), key=lambda row: row["pickup_datetime"])
    schema = pa.schema([(name, _type(name)) for name in rows[0]])
    return pa.Table.from_pylist(rows, schema)


def _metered(service: str, month: str, trips: int) -> pa.Table:
    text = make.month_text(service, month, trips)
    names = text.partition("\n")[0].strip().split(",")
    kinds = {name: TYPES.get(name, TIME if name.endswith("datetime") else DOLLARS) for name in names}
    options = pa.csv.ConvertOptions(column_types=kinds, strings_can_be_null=True, null_values=[""])
    table = pa.csv.read_csv(io.BytesIO(text.encode()), convert_options=options)
    random = Random(f"{service} {month} fees")  # noqa: S311
    # The text is of 2020: since 2022-12-19 the improvement surcharge is 1 dollar, and yellow cabs' congestion is 2.50.
    table = _charged(table, "improvement_surcharge", lambda old: math.copysign(1.0, old))
    if service == "yellow":
        table = _charged(table, "congestion_surcharge", lambda old: old and math.copysign(2.5, old))
        table = _charged(table, "Airport_fee", lambda _: 1.75 if random.random() < 0.08 else 0.0)
    if month < "2025":
        return table
    pickups = iter(table[f"{'tpep' if service == 'yellow' else 'lpep'}_pickup_datetime"].to_pylist())
    return _charged(table, "cbd_congestion_fee", lambda _: 0.75 if _in_the_zone(random, next(pickups), 0.7) else 0.0)


def _in_the_zone(random: Random, pickup: datetime, share: float) -> bool:
    """Whether a trip pays for the congestion zone, which charges since 2025-01-05."""
    return random.random() < share and pickup >= datetime(2025, 1, 5)


def _charged(table: pa.Table, name: str, amount: Callable[[float | None], float | None]) -> pa.Table:
    """The table with other amounts in the column `name`, or with that column more; the totals follow."""
    old = table[name].to_pylist() if name in table.column_names else [0.0] * len(table)
    new = [amount(value) if value is not None else None for value in old]
    totals = zip(table["total_amount"].to_pylist(), old, new, strict=True)
    total = pa.array([round(total - (before or 0) + (after or 0), 2) for total, before, after in totals])
    table = table.set_column(table.column_names.index("total_amount"), "total_amount", total)
    column = pa.array(new, DOLLARS)
    if name not in table.column_names:
        return table.append_column(name, column)
    return table.set_column(table.column_names.index(name), name, column)


def _dispatched(random: Random, month: str) -> dict[str, object]:
    pickup = make.pickup_time(random, month, odd_share=0)
    base = f"B{int(9 + 40 * random.random()):05}"
    return {
        "dispatching_base_num": base,
        "pickup_datetime": pickup,
        "dropOff_datetime": pickup + timedelta(seconds=200 + int(2400 * random.random())),
        "PUlocationID": _zone(random) if random.random() < 0.2 else None,
        "DOlocationID": _zone(random) if random.random() < 0.8 else None,
        "SR_Flag": None,
        "Affiliated_base_number": base if random.random() < 0.9 else f"{base}  ",
    }


def _high_volume(random: Random, month: str) -> dict[str, object]:
    pickup = make.pickup_time(random, month, odd_share=0)
    uber, seconds = random.random() < 0.75, 240 + int(2400 * random.random())
    fare = round(7 + seconds / 60 * 1.1, 2)
    amounts = (
        fare,
        6.94 if random.random() < 0.05 else 0.0,
        *(round(fare * share, 2) for share in (0.0275, 0.08875)),
        2.75 if random.random() < 0.4 else 0.0,
        2.5 if random.random() < 0.05 else 0.0,
        round(fare * 0.2, 2) if random.random() < 0.2 else 0.0,
        round(fare * 0.78, 2),
    )
    return {
        "hvfhs_license_num": "HV0003" if uber else "HV0005",
        "dispatching_base_num": "B03404" if uber else "B03406",
        "originating_base_num": "B03404" if uber else None,
        "request_datetime": pickup - timedelta(seconds=60 + int(400 * random.random())),
        "on_scene_datetime": pickup - timedelta(seconds=int(60 * random.random())) if uber else None,
        "pickup_datetime": pickup,
        "dropoff_datetime": pickup + timedelta(seconds=seconds),
        "PULocationID": _zone(random),
        "DOLocationID": _zone(random),
        "trip_miles": round(seconds / 260, 2),
        "trip_time": seconds,
        **dict(zip(AMOUNTS, amounts, strict=True)),
        **{name: "Y" if random.random() < 0.02 else "N" for name in FLAGS},
        "cbd_congestion_fee": 1.5 if _in_the_zone(random, pickup, 0.35) else 0.0,
    }


def _type(name: str) -> pa.DataType:
    """TLC's type of a column of fhv and fhvhv."""
    if name.endswith("datetime"):
        return TIME
    if name in ("PULocationID", "DOLocationID", "PUlocationID", "DOlocationID", "SR_Flag"):
        return ID
    return COUNT if name == "trip_time" else DOLLARS if name in (*AMOUNTS, "trip_miles", "cbd_congestion_fee") else TEXT


def _zone(random: Random) -> int:
    return 1 + int(263 * random.random())


def main(folder: Path) -> None:
    for (service, month), trips in TRIPS.items():
        path = folder / service / f"{service}_tripdata_{month}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(month_table(service, month, trips), path, compression="zstd")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent))

"""Counts the known answers of months value by value in Python: slowly, and independently of the loader.

    python -m taxi.counting "whole month, the course's release" yes green_tripdata_2020-10.csv.gz ...

reads CSVs and Parquet, and prints lines for known_answers.csv. What a service has no column for stays empty. Its
arguments: what the files are, whether they are whole months as they were published (yes or no), and the files.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import re
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq

from taxi.answers import ranges_of
from taxi.hashes import sha256_of

FIELDS = (
    *("service", "month", "sha256", "what", "published"),
    *("rows", "columns", "total_amount", "vendors", "dates", "kept", "kept_dates"),
    "with_passengers",
)

Trip = dict[str, str]


def counted(path: Path, what: str, published: str) -> dict[str, object]:
    """The line for the month in `path`, which is `what`, and was `published` like that ("yes") or not ("no").

    Raises ValueError for a file that is not named like a month.
    """
    named = re.fullmatch(r"(\w+)_tripdata_(\d{4}-\d{2})\.(csv\.gz|parquet)", path.name)
    if named is None:
        raise ValueError(f"{path}: not named <service>_tripdata_<month>.csv.gz or .parquet")
    names, trips = (_csv if named[3] == "csv.gz" else _parquet)(path)
    return {
        "service": named[1],
        "month": named[2],
        "sha256": sha256_of(path),
        "what": what,
        "published": published,
        "columns": len(names),
        **_counted_rows(trips, names),
    }


def _csv(path: Path) -> tuple[list[str], Iterable[Trip]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        names = next(csv.reader(lines))

    def trips() -> Iterator[Trip]:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)

    return names, trips()


def _parquet(path: Path) -> tuple[list[str], Iterable[Trip]]:
    """The values as text, as a CSV would have them."""
    with pq.ParquetFile(path) as file:
        names = list(file.schema_arrow.names)

    def trips() -> Iterator[Trip]:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for trip in batch.to_pylist():
                    yield {name: "" if value is None else str(value) for name, value in trip.items()}

    return names, trips()


def _counted_rows(trips: Iterable[Trip], names: list[str]) -> dict[str, object]:
    """What is counted; nothing in place of what the file has no columns for."""
    pickup = next(name for name in names if name.endswith("pickup_datetime"))
    rows = kept = with_passengers = 0
    total = Decimal()
    vendors, dates, kept_dates = set(), set(), set()
    for trip in trips:
        rows += 1
        total += Decimal(trip.get("total_amount") or 0)
        vendors.add(trip.get("VendorID") or "null")
        dates.add(trip[pickup][:10])
        if Decimal(trip.get("passenger_count") or 0) <= 0:
            continue
        with_passengers += 1
        if Decimal(trip["trip_distance"] or 0) > 0:
            kept += 1
            kept_dates.add(trip[pickup][:10])
    with_counts = "passenger_count" in names
    return {
        "rows": rows,
        "total_amount": total if "total_amount" in names else "",
        "vendors": " ".join(sorted(vendors)) if "VendorID" in names else "",
        "dates": ranges_of(set(map(dt.date.fromisoformat, dates))),
        "kept": kept if with_counts else "",
        "kept_dates": ranges_of(set(map(dt.date.fromisoformat, kept_dates))),
        "with_passengers": with_passengers if with_counts else "",
    }


def main(what: str, published: str, *paths: str) -> None:
    lines = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    for path in paths:
        lines.writerow(counted(Path(path), what, published))


if __name__ == "__main__":
    main(*sys.argv[1:])

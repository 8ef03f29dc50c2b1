"""Counts the known answers of months with nothing but Python's own csv: slowly, and independently of the loader.

    python -m taxi.counting "whole month, the course's release" yes green_tripdata_2020-10.csv.gz ...

prints lines for known_answers.csv. Its arguments: what the files are, whether they are whole months as they were
published (yes or no), and the files.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import io
import re
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from taxi.answers import ranges_of

FIELDS = (
    *("service", "month", "sha256", "what", "published"),
    *("rows", "columns", "total_amount", "vendors", "dates", "kept", "kept_dates"),
    "with_passengers",
)


def counted(path: Path, what: str, published: str) -> dict[str, object]:
    """The line for the month in `path`, which is `what`, and was `published` like that ("yes") or not ("no").

    Raises ValueError for a file that is not named like a month.
    """
    named = re.fullmatch(r"(\w+)_tripdata_(\d{4}-\d{2})\.csv\.gz", path.name)
    if named is None:
        raise ValueError(f"{path}: not named <service>_tripdata_<month>.csv.gz")
    packed = path.read_bytes()
    with gzip.open(io.BytesIO(packed), "rt", encoding="utf-8", newline="") as lines:
        trips = csv.DictReader(lines)
        names = trips.fieldnames or []
        return {
            "service": named[1],
            "month": named[2],
            "sha256": hashlib.sha256(packed).hexdigest(),
            "what": what,
            "published": published,
            "columns": len(names),
            **_counted_rows(trips, next(name for name in names if name.endswith("pickup_datetime"))),
        }


def _counted_rows(trips: Iterable[dict[str, str]], pickup: str) -> dict[str, object]:
    rows = kept = with_passengers = 0
    total = Decimal()
    vendors, dates, kept_dates = set(), set(), set()
    for trip in trips:
        rows += 1
        total += Decimal(trip["total_amount"])
        vendors.add(trip["VendorID"] or "null")
        dates.add(trip[pickup][:10])
        if int(trip["passenger_count"] or 0) <= 0:
            continue
        with_passengers += 1
        if Decimal(trip["trip_distance"] or 0) > 0:
            kept += 1
            kept_dates.add(trip[pickup][:10])
    return {
        "rows": rows,
        "total_amount": total,
        "vendors": " ".join(sorted(vendors)),
        "dates": ranges_of(set(map(dt.date.fromisoformat, dates))),
        "kept": kept,
        "kept_dates": ranges_of(set(map(dt.date.fromisoformat, kept_dates))),
        "with_passengers": with_passengers,
    }


def main(what: str, published: str, *paths: str) -> None:
    lines = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    for path in paths:
        lines.writerow(counted(Path(path), what, published))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The known answers: what is true of published months, each recognised by the sha256 of its .csv.gz.

They are a file, `pipelines/green_taxi_etl/known_answers.csv`, one line for each content of each month that somebody
has counted. `python -m taxi.counting FILE...` counts and prints such lines.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

ANSWERS = Path(__file__).parent.parent / "pipelines" / "green_taxi_etl" / "known_answers.csv"

#: Service, month and sha256: one content of one month's file.
FileKey = tuple[str, str, str]


@dataclass(kw_only=True)
class Count:
    """What is counted of trips. `total_amount` is in dollars; `vendors` has None where VendorID is empty.

    `kept` and `kept_dates` are the rows and pickup dates where passenger_count and trip_distance are above zero,
    `with_passengers` the rows where passenger_count is, whatever the distance.
    """

    rows: int = 0
    columns: int = 0
    total_amount: float = 0.0
    vendors: set[int | None] = field(default_factory=set)
    dates: set[dt.date] = field(default_factory=set)
    kept: int = 0
    kept_dates: set[dt.date] = field(default_factory=set)
    with_passengers: int = 0
    published: bool = False  # a month as it was published, not a sample: a file of that month should be this one

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    def add(self, other: Count) -> None:
        self.rows += other.rows
        self.columns = other.columns
        self.total_amount += other.total_amount
        self.vendors |= other.vendors
        self.dates |= other.dates
        self.kept += other.kept
        self.kept_dates |= other.kept_dates
        self.with_passengers += other.with_passengers


def known_answers(path: Path = ANSWERS) -> dict[FileKey, Count]:
    """The known answers of every listed file; none where there is no list."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as lines:
        return {(line["service"], line["month"], line["sha256"]): _count(line) for line in csv.DictReader(lines)}


def _count(line: dict[str, str]) -> Count:
    return Count(
        rows=int(line["rows"]),
        columns=int(line["columns"]),
        total_amount=float(line["total_amount"]),
        vendors={None if vendor == "null" else int(vendor) for vendor in line["vendors"].split()},
        dates=days_of(line["dates"]),
        kept=int(line["kept"]),
        kept_dates=days_of(line["kept_dates"]),
        with_passengers=int(line["with_passengers"]),
        published=line["published"] == "yes",
    )


def days_of(ranges: str) -> set[dt.date]:
    """The days in `2008-12-31 2020-10-01..2020-10-31`."""
    days = set()
    for part in ranges.split():
        first, _, last = part.partition("..")
        day, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)
        days |= {day + dt.timedelta(days=n) for n in range((end - day).days + 1)}
    return days


def ranges_of(days: set[dt.date]) -> str:
    """The inverse of `days_of`: days that follow each other as one range."""
    ranges: list[list[dt.date]] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][-1] == dt.timedelta(days=1):
            ranges[-1][1:] = [day]
        else:
            ranges.append([day])
    return " ".join("..".join(day.isoformat() for day in found) for found in ranges)

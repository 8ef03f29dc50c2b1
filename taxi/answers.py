"""The known answers: what is true of published months, each recognised by the sha256 of its file.

They are a file, `pipelines/green_taxi_etl/known_answers.csv`, one line for each content of each month that somebody
has counted. `python -m taxi.counting FILE...` counts and prints such lines.
"""

from __future__ import annotations

import csv
import datetime as dt
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent.parent / "pipelines" / "green_taxi_etl" / "known_answers.csv"

#: Service, month and sha256: one content of one month's file.
FileKey = tuple[str, str, str]


@dataclass(kw_only=True)
class Count:
    """What is counted of trips. `total_amount` is in dollars; `vendors` has None where VendorID is empty.

    `kept` and `kept_dates` are the rows and pickup dates where passenger_count and trip_distance are above zero,
    `with_passengers` the rows where passenger_count is, whatever the distance. None stands for what cannot be counted
    because the service has no such column.
    """

    rows: int = 0
    columns: int = 0
    total_amount: float | None = None
    vendors: set[int | None] | None = None
    dates: set[dt.date] = field(default_factory=set)
    kept: int | None = None
    kept_dates: set[dt.date] | None = None
    with_passengers: int | None = None
    published: bool = False  # a month as it was published, not a sample: a file of that month should be this one

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    def add(self, other: Count) -> None:
        self.rows += other.rows
        self.columns = max(self.columns, other.columns)
        self.total_amount = _both(self.total_amount, other.total_amount, operator.add)
        self.vendors = _both(self.vendors, other.vendors, operator.or_)
        self.dates |= other.dates
        self.kept = _both(self.kept, other.kept, operator.add)
        self.kept_dates = _both(self.kept_dates, other.kept_dates, operator.or_)
        self.with_passengers = _both(self.with_passengers, other.with_passengers, operator.add)


def _both(one: Any, other: Any, together: Callable[[Any, Any], Any]) -> Any:
    """What both are together; one of them where the other cannot be counted."""
    if one is None or other is None:
        return other if one is None else one
    return together(one, other)


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
        total_amount=float(line["total_amount"]) if line["total_amount"] else None,
        vendors={None if vendor == "null" else int(vendor) for vendor in line["vendors"].split()} or None,
        dates=days_of(line["dates"]),
        kept=int(line["kept"]) if line["kept"] else None,
        kept_dates=days_of(line["kept_dates"]) if line["kept"] else None,
        with_passengers=int(line["with_passengers"]) if line["with_passengers"] else None,
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

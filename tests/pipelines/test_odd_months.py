"""Months that are odd and legal: they load (all in one run here), and what is odd about them is said."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator

import pytest

from tests.pipelines.lab import Lab, Result
from tests.pipelines.stores import Stores, Target
from tests.taxi.making import GREEN, HEADER, text, trip, write_month

Loaded = tuple[Result, Target]


def reordered(**values: str) -> bytes:
    line = dict(zip(GREEN, trip(**values).split(","), strict=True))
    names = sorted(GREEN, reverse=True)
    return text(",".join(line[name] for name in names), header=",".join(names).upper())


def all_quoted(**values: str) -> bytes:
    lines = io.StringIO()
    csv.writer(lines, quoting=csv.QUOTE_ALL).writerows([list(GREEN), trip(**values).split(",")])
    return lines.getvalue().encode()


#: How a month's text is made of its one trip.
ODD: dict[str, Callable[..., bytes]] = {
    "another order, in capitals": reordered,
    "a column more": lambda **zone: text(f"{trip(**zone)},9", header=f"{HEADER},airport_fee"),
    "CRLF": lambda **zone: text(trip(**zone), end="\r\n"),
    "a byte-order mark": lambda **zone: b"\xef\xbb\xbf" + text(trip(**zone)),
    "a quoted newline": lambda **zone: text(trip(store_and_fwd_flag='"N\nY"', **zone)),
    "the year 3019": lambda **zone: text(trip(lpep_pickup_datetime="3019-10-01 00:31:19", **zone)),
    "the year 1900": lambda **zone: text(trip(lpep_pickup_datetime="1900-10-01 00:31:19", **zone)),
    "everything quoted": all_quoted,
    "no line end at the end": lambda **zone: text(trip(**zone)).rstrip(),
    "codes with a decimal point": lambda **zone: text(trip(VendorID="2.0", passenger_count="1.0", **zone)),
    "empty lines": lambda **zone: text("", trip(**zone), "", ""),
    "only a header": lambda **zone: text(),
}
#: The flag and the year that are loaded, where they are not N and 2020.
FLAGS = {"a quoted newline": "N\nY"}
YEARS = {"the year 3019": 3019, "the year 1900": 1900}


@pytest.fixture(scope="module")
def loaded(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A run on all of them, and where it loaded to. The zone of a trip is the month that its file is of."""
    lab = Lab(root=tmp_path_factory.mktemp("odd months"), env=stores.env)
    target = Target(stores=stores, name="odd-months")
    stores.gcs.create_bucket(target.name)
    months = {f"2020-{number:02}": make(PULocationID=str(number)) for number, make in enumerate(ODD.values(), 1)}
    for month, content in months.items():
        write_month(lab.root / "odd", content, month)
    yield lab.run({**target.variables, "source": "odd", "months": list(months)}), target
    target.drop()


def test_they_load_together(loaded: Loaded) -> None:
    result, target = loaded
    assert result.exit_code == 0, result.error
    assert target.rows("count(*)") == [(len(ODD) - 1,)]


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd != "only a header"])
def test_the_trip_of_an_odd_month_is_loaded(loaded: Loaded, odd: str) -> None:
    _, target = loaded
    zone = list(ODD).index(odd) + 1
    pickup = dt.datetime(YEARS.get(odd, 2020), 10, 1, 0, 31, 19)
    trip = {
        "pu_location_id": zone,
        "vendor_id": 2,
        "passenger_count": 1,
        "total_amount": 7.88,
        "store_and_fwd_flag": FLAGS.get(odd, "N"),
        "lpep_pickup_datetime": pickup,
        "lpep_pickup_date": pickup.date(),
    }
    assert dict(zip(trip, next(row for row in target.rows(", ".join(trip)) if row[0] == zone), strict=True)) == trip
    [found] = [row for row in target.stores.lake(target.name, "trips").to_pylist() if row["pu_location_id"] == zone]
    assert {**found, "lpep_pickup_date": dt.date.fromisoformat(found["lpep_pickup_date"])}.items() >= trip.items()


@pytest.mark.parametrize(
    ("month", "finding"),
    [
        ("2020-02", "a new column, not loaded because no type is declared: 'airport_fee'"),
        ("2020-12", "the month has a header and no rows"),
    ],
)
def test_what_is_odd_is_a_finding(loaded: Loaded, month: str, finding: str) -> None:
    result, _ = loaded
    assert f"green_tripdata_{month}.csv.gz: {finding}" in "\n".join(result.report["warnings"])


def test_a_header_alone_replaces_the_old_load_with_no_rows(lab: Lab, target: Target) -> None:
    path = write_month(lab.root / "odd", text())
    before = target.state()
    result = lab.run({**target.variables, "source": "odd", "months": ["2020-10"]})
    assert result.exit_code == 0, result.error
    assert f"{path}: the month has a header and no rows" in result.report["warnings"]
    after = target.state()
    assert after.tables["trips"].types == before.tables["trips"].types
    assert (after.tables["trips"].rows, after.objects) == (0, {})

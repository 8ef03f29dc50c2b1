"""The transformer: what it keeps, what it says of the rest, and its tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from tests.blocks.conftest import PROJECT, Block
from tests.taxi.making import TRIP, UNMETERED, load, text, trip, write_month

NAME = "transformers/clean_taxi_trips"
ROWS = [
    TRIP,
    UNMETERED,
    trip(passenger_count="0"),
    trip(passenger_count="-1", trip_distance="0"),
    trip(trip_distance=".00"),
    trip(trip_distance="-3.5"),
    trip(trip_distance=""),
    trip(passenger_count="", trip_distance=""),
]


@pytest.fixture
def trips(tmp_path: Path) -> pd.DataFrame:
    write_month(tmp_path, text(*ROWS))
    return load(tmp_path)


def test_trips_with_passengers_and_a_distance_are_kept(block: Block, trips: pd.DataFrame) -> None:
    clean = block(NAME).clean_taxi_trips(trips)
    assert clean[["passenger_count", "trip_distance"]].to_numpy().tolist() == [[1, 0.79]]


def test_every_dropped_trip_has_one_reason(block: Block, trips: pd.DataFrame) -> None:
    clean = block(NAME).clean_taxi_trips(trips)
    assert clean.attrs["dropped"] == {
        "passenger_count null": {"rows": 2, "total_amount": 27.59},
        "passenger_count 0 or less": {"rows": 2, "total_amount": 15.76},
        "trip_distance null": {"rows": 1, "total_amount": 7.88},
        "trip_distance 0 or less": {"rows": 2, "total_amount": 15.76},
    }


def test_four_columns_are_renamed_and_the_pickup_date_is_added(block: Block, trips: pd.DataFrame) -> None:
    clean = block(NAME).clean_taxi_trips(trips)
    assert set(trips.columns) - set(clean.columns) == {"VendorID", "RatecodeID", "PULocationID", "DOLocationID"}
    assert set(clean.columns) - set(trips.columns) == {
        "vendor_id",
        "ratecode_id",
        "pu_location_id",
        "do_location_id",
        "lpep_pickup_date",
    }
    assert clean["lpep_pickup_date"].dtype == pd.ArrowDtype(pa.date32())
    assert clean["lpep_pickup_date"].tolist() == [date(2020, 10, 1)]


def test_its_input_is_left_as_it_was(block: Block, trips: pd.DataFrame) -> None:
    before = trips.copy()
    block(NAME).clean_taxi_trips(trips)
    pd.testing.assert_frame_equal(trips, before)


def test_no_trips_stay_no_trips_with_all_columns(block: Block, trips: pd.DataFrame) -> None:
    clean = block(NAME).clean_taxi_trips(trips.head(0))
    assert clean.shape == (0, 21)
    assert clean.dtypes.equals(block(NAME).clean_taxi_trips(trips).dtypes)


def test_frames_of_other_loaders_are_cleaned_too(block: Block) -> None:
    trips = pd.DataFrame(
        {
            "VendorID": [1, 2, None],
            "tpep_pickup_datetime": pd.to_datetime(["2020-10-01 23:59:59", None, "2020-10-02 00:00:00"]),
            "passenger_count": [1.0, float("nan"), 0],
            "trip_distance": [1.5, 2, 3],
        }
    )
    clean = block(NAME).clean_taxi_trips(trips)
    assert clean["tpep_pickup_date"].tolist() == [date(2020, 10, 1)]
    assert clean.attrs["dropped"] == {"passenger_count null": {"rows": 1}, "passenger_count 0 or less": {"rows": 1}}


BROKEN = {
    "vendor_id": ("test_vendor_id_is_one_of_the_existing_values", 99),
    "a null vendor_id": ("test_vendor_id_is_one_of_the_existing_values", None),
    "passenger_count": ("test_passenger_count_is_greater_than_0", 0),
    "trip_distance": ("test_trip_distance_is_greater_than_0", 0.0),
}


@pytest.mark.parametrize(
    ("column", "test", "value"), [(name.split()[-1], *case) for name, case in BROKEN.items()], ids=BROKEN
)
def test_the_homework_s_assertions_catch_one_wrong_value(
    block: Block, trips: pd.DataFrame, column: str, test: str, value: object
) -> None:
    cleaning = block(NAME)
    clean = cleaning.clean_taxi_trips(trips)
    getattr(cleaning, test)(clean)
    clean.loc[0, column] = value
    with pytest.raises(AssertionError):
        getattr(cleaning, test)(clean)


def test_capital_letters_are_caught(block: Block, trips: pd.DataFrame) -> None:
    cleaning = block(NAME)
    assert cleaning.test_columns_are_in_snake_case(cleaning.clean_taxi_trips(trips)) == "4 columns renamed"
    with pytest.raises(AssertionError, match="VendorID"):
        cleaning.test_columns_are_in_snake_case(trips)


def test_the_homework_s_quarter_is_known_month_by_month(block: Block, real_months: str) -> None:
    loader, cleaning = block("data_loaders/load_taxi_trips"), block(NAME)
    frames = loader.load_taxi_trips(source=real_months, stream=True)
    assert cleaning.test_known_answers(map(cleaning.clean_taxi_trips, frames), stream=True).splitlines() == [
        "2020-10 ✓ 95,120 rows, 49,269 kept, 33 pickup dates",
        "2020-11 ✓ 88,605 rows, 45,870 kept, 32 pickup dates",
        "2020-12 ✓ 83,130 rows, 44,231 kept, 34 pickup dates",
        "together ✓ 266,855 rows, 139,370 kept, 95 pickup dates",
    ]


@pytest.mark.parametrize(
    ("service", "month", "kept"),
    [
        ("green", "2020-03", 168_499),
        ("green", "2020-04", 22_812),
        ("green", "2020-07", 39_306),
        ("yellow", "2018-01", 9_852),
        ("yellow", "2018-06", 9_845),
        ("yellow", "2019-01", 9_936),
        ("yellow", "2019-02", 8_359),
        ("yellow", "2019-03", 9_742),
        ("yellow", "2020-01", 9_622),
    ],
)
def test_real_months_keep_what_is_known(block: Block, real_months: str, service: str, month: str, kept: int) -> None:
    loader, cleaning = block("data_loaders/load_taxi_trips"), block(NAME)
    clean = cleaning.clean_taxi_trips(loader.load_taxi_trips(service=service, months=[month], source=real_months))
    assert len(clean) == kept
    assert cleaning.test_known_answers(clean).startswith(f"{month} ✓ ")
    cleaning.test_vendor_id_is_one_of_the_existing_values(clean)


def test_a_row_lost_from_a_known_month_fails(block: Block) -> None:
    loader, cleaning = block("data_loaders/load_taxi_trips"), block(NAME)
    clean = cleaning.clean_taxi_trips(loader.load_taxi_trips(months="2020-10", source="sample_data"))
    with pytest.raises(AssertionError, match="green 2020-10: 1,660 kept, but 1,661 kept are known"):
        cleaning.test_known_answers(clean.drop(index=1000))


ALONE = """
import runpy
import pandas as pd
from mage_project import mage_ai
mage_ai.install()
clean = runpy.run_path("clean_taxi_trips.py")["clean_taxi_trips"]
day = pd.to_datetime(["2020-10-01"])
print(len(clean(pd.DataFrame({"lpep_pickup_datetime": day, "passenger_count": [1], "trip_distance": [1.0]}))))
"""


def test_it_works_where_only_its_file_was_copied(tmp_path: Path) -> None:
    shutil.copy(PROJECT / f"{NAME}.py", tmp_path)
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"

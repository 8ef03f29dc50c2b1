"""The transformer that keeps trips with passengers, and its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blocks.conftest import Block
from tests.taxi.making import TRIP, UNMETERED, load, text, trip, write_month

NAME = "transformers/drop_trips_without_passengers"
YELLOW = {"service": "yellow", "months": ["2021-01"], "source": "sample_data"}


def test_trips_with_passengers_stay_whatever_their_distance(block: Block, tmp_path: Path) -> None:
    write_month(tmp_path, text(TRIP, UNMETERED, trip(passenger_count="0"), trip(trip_distance="0")))
    kept = block(NAME).drop_trips_without_passengers(load(tmp_path))
    assert kept[["passenger_count", "trip_distance"]].to_numpy().tolist() == [[1, 0.79], [1, 0]]
    assert kept.attrs["dropped"] == {
        "passenger_count null": {"rows": 1, "total_amount": 19.71},
        "passenger_count 0 or less": {"rows": 1, "total_amount": 7.88},
    }


def test_the_sample_s_yellow_month_is_known(block: Block) -> None:
    dropping = block(NAME)
    trips = block("data_loaders/load_taxi_trips").load_taxi_trips(**YELLOW)
    kept = dropping.drop_trips_without_passengers(trips)
    assert list(kept.columns) == list(trips.columns)
    assert dropping.test_known_answers(kept) == "2021-01 ✓ 3,000 rows, 2,732 with passengers"
    with pytest.raises(AssertionError, match="2,731 with passengers, but 2,732"):
        dropping.test_known_answers(kept.drop(index=7))


@pytest.mark.parametrize(
    ("month", "kept"),
    [
        ("2018-01", 9_916),
        ("2018-06", 9_910),
        ("2019-01", 10_000),
        ("2019-02", 8_421),
        ("2019-03", 9_801),
        ("2020-01", 9_722),
    ],
)
def test_real_months_keep_what_is_known(block: Block, real_months: str, month: str, kept: int) -> None:
    dropping = block(NAME)
    variables = {"service": "yellow", "months": [month], "source": real_months}
    trips = dropping.drop_trips_without_passengers(block("data_loaders/load_taxi_trips").load_taxi_trips(**variables))
    assert len(trips) == kept
    assert dropping.test_known_answers(trips).startswith(f"{month} ✓ ")


def test_a_trip_without_passengers_is_caught(block: Block, tmp_path: Path) -> None:
    write_month(tmp_path, text(trip(passenger_count="0")))
    with pytest.raises(AssertionError, match="trips without passengers"):
        block(NAME).test_passenger_count_is_greater_than_0(load(tmp_path))

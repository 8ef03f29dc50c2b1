"""Keep the trips with passengers and a distance, name columns in snake case, add the pickup date."""

import sys

import numpy as np
import pandas as pd
import pyarrow as pa
from mage_ai.settings.repo import get_repo_path

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

SNAKE_CASE = {
    "VendorID": "vendor_id",
    "RatecodeID": "ratecode_id",
    "PULocationID": "pu_location_id",
    "DOLocationID": "do_location_id",
}
DATE = pd.ArrowDtype(pa.date32())
VENDORS = [1, 2, 4, 6, 7]  # green has 1 and 2; 4 was in yellow cabs in 2018 and 2019, 6 and 7 came later


@transformer
def clean_taxi_trips(trips, *args, **kwargs):
    """
    Takes the trips as they were published: all of them or, in a stream, one batch after another.
    Returns those with passenger_count > 0 and trip_distance > 0, and says in attrs["dropped"] why the others went: how
    many trips, and their total_amount.
    """
    has_passengers = (trips["passenger_count"] > 0).fillna(False)
    has_distance = (trips["trip_distance"] > 0).fillna(False)
    keep = has_passengers & has_distance
    clean = trips[keep].reset_index(drop=True).rename(columns=SNAKE_CASE)

    pickup = next(name for name in clean.columns if name.endswith("pickup_datetime"))
    clean[pickup.replace("datetime", "date")] = clean[pickup].astype(DATE)

    # Each trip counts once, by its passengers first.
    no_passengers, no_distance = trips["passenger_count"].isna(), trips["trip_distance"].isna()
    reasons = {
        "passenger_count null": no_passengers,
        "passenger_count 0 or less": ~has_passengers & ~no_passengers,
        "trip_distance null": has_passengers & no_distance,
        "trip_distance 0 or less": has_passengers & ~has_distance & ~no_distance,
    }
    clean.attrs["dropped"] = {reason: counted(trips, gone) for reason, gone in reasons.items() if gone.any()}
    return clean


def counted(trips, gone):
    """How many trips go, and how many dollars with them (no dollars where a service publishes no total_amount)."""
    figures = {"rows": int(gone.sum())}
    if "total_amount" in trips.columns:
        dollars = trips.loc[gone, "total_amount"].to_numpy("float64", na_value=np.nan)
        figures["total_amount"] = round(float(dollars[np.isfinite(dollars)].sum()), 2)
    return figures


@test
def test_vendor_id_is_one_of_the_existing_values(trips, *args):
    assert trips["vendor_id"].isin(VENDORS).all(), f"vendor_id has other values than {VENDORS}"


@test
def test_passenger_count_is_greater_than_0(trips, *args):
    assert (trips["passenger_count"] > 0).all(), "there are trips without passengers"


@test
def test_trip_distance_is_greater_than_0(trips, *args):
    assert (trips["trip_distance"] > 0).all(), "there are trips without a distance"


@test
def test_columns_are_in_snake_case(trips, *args):
    assert all(name == name.lower() for name in trips.columns), f"names with capital letters: {list(trips.columns)}"
    return f"{len(SNAKE_CASE)} columns renamed"


@test
def test_known_answers(trips, *args, stream=False):
    """For months whose answers are known: not one row more or less is kept."""
    sys.path.append(get_repo_path())
    try:
        from taxi.checks import kept_as_known
    except ModuleNotFoundError:
        return "not compared: the folder taxi/ with the known answers is not in this project"
    return kept_as_known(trips if stream else [trips])

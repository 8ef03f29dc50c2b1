"""Nothing is dropped silently: what comes in is what goes out and what was dropped, in rows and in cents."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mage_project.runner.reasons import Reasons, add, reasons_of
from tests.blocks.conftest import Block

START = pd.Timestamp("2020-10-01")
CENTS = st.integers(-(10**11), 10**11) | st.integers(-300, 300)
TRIPS = st.lists(
    st.fixed_dictionaries(
        {
            "VendorID": st.none() | st.sampled_from([1, 2]),
            "lpep_pickup_datetime": st.none() | st.just(START),
            "lpep_dropoff_datetime": st.just(START + pd.Timedelta(minutes=5)),
            "PULocationID": st.just(7),
            "DOLocationID": st.none() | st.just(264),
            "passenger_count": st.none() | st.integers(-1, 2),
            "trip_distance": st.none() | st.sampled_from([float("nan"), -1.0, 0.0, 0.79, 1e300]),
            "total_amount": st.none() | st.just(float("nan")) | CENTS.map(lambda cents: cents / 100),
        }
    ),
    max_size=30,
)
TYPES = pa.schema(
    {
        "VendorID": pa.int32(),
        "lpep_pickup_datetime": pa.timestamp("us"),
        "lpep_dropoff_datetime": pa.timestamp("us"),
        "PULocationID": pa.int32(),
        "DOLocationID": pa.int32(),
        "passenger_count": pa.int32(),
        "trip_distance": pa.float64(),
        "total_amount": pa.float64(),
    }
)
OFTEN = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
IN_BATCHES = ["clean_taxi_trips", "drop_trips_without_passengers"]
WHOLE = ["drop_duplicate_trips", "pair_reversals"]


def frame_of(trips: list[dict[str, object]]) -> pd.DataFrame:
    return pa.Table.from_pylist(trips, TYPES).to_pandas(types_mapper=pd.ArrowDtype)


def cents(trips: pd.DataFrame) -> int:
    amounts = trips["total_amount"].to_numpy("float64", na_value=np.nan)
    return sum(round(amount * 100) for amount in amounts if np.isfinite(amount))


def rows_and_cents(reasons: Reasons) -> tuple[int, int]:
    figures = reasons.values()
    return sum(int(of["rows"]) for of in figures), sum(round(of["total_amount"] * 100) for of in figures)


@pytest.mark.parametrize("name", [*IN_BATCHES, *WHOLE])
def test_what_comes_in_goes_out_or_is_accounted_for(block: Block, name: str) -> None:
    transform: Callable[[pd.DataFrame], pd.DataFrame] = getattr(block(f"transformers/{name}"), name)

    @OFTEN
    @given(trips=TRIPS, cuts=st.lists(st.integers(0, 30), max_size=3).map(sorted))
    def reconciles(trips: list[dict[str, object]], cuts: list[int]) -> None:
        given_rows, dropped = frame_of(trips), Reasons()
        bounds = [0, *(cuts if name in IN_BATCHES else []), len(trips)]
        out_rows = out_cents = 0
        for start, end in pairwise(bounds):
            out = transform(given_rows.iloc[start:end].reset_index(drop=True))
            add(dropped, reasons_of(out.attrs.get("dropped", {})))
            out_rows, out_cents = out_rows + len(out), out_cents + cents(out)
        gone_rows, gone_cents = rows_and_cents(dropped)
        assert (out_rows + gone_rows, out_cents + gone_cents) == (len(given_rows), cents(given_rows))

    reconciles()


@pytest.mark.parametrize("name", [*IN_BATCHES, "drop_duplicate_trips"])
def test_a_service_without_amounts_reports_rows(block: Block, name: str) -> None:
    trip = {"passenger_count": 0, "trip_distance": 1.0, "lpep_pickup_datetime": START}
    trips = frame_of([trip, trip]).drop(columns="total_amount")
    [figures] = getattr(block(f"transformers/{name}"), name)(trips).attrs["dropped"].values()
    assert set(figures) == {"rows"}


def test_the_homework_s_wording_gives_other_rows_than_its_count(quarter: pd.DataFrame, block: Block) -> None:
    no_passengers, no_distance = quarter["passenger_count"] == 0, quarter["trip_distance"] == 0
    both = no_passengers & no_distance
    assert (~both.fillna(False)).sum() == 266_787  # removed: passengers 0 and distance 0
    assert (~both.fillna(False) & quarter["passenger_count"].notna()).sum() == 147_325  # and what is not known
    assert len(block("transformers/clean_taxi_trips").clean_taxi_trips(quarter)) == 139_370


def test_the_quarter_s_dropped_trips_and_dollars_are_known(quarter: pd.DataFrame, block: Block) -> None:
    clean = block("transformers/clean_taxi_trips").clean_taxi_trips(quarter)
    assert clean.attrs["dropped"] == {
        "passenger_count null": {"rows": 119_462, "total_amount": 3_653_377.42},
        "passenger_count 0 or less": {"rows": 661, "total_amount": 9_252.82},
        "trip_distance 0 or less": {"rows": 7_362, "total_amount": 127_291.80},
    }
    assert round(clean["total_amount"].sum(), 2) == 2_403_322.98


def test_the_course_s_dbt_filter_drops_nearly_half_of_the_quarter(quarter: pd.DataFrame) -> None:
    """`where vendorid is not null` in stg_green_tripdata.sql."""
    dropped = quarter[quarter["VendorID"].isna()]
    assert len(dropped) == 119_462
    assert round(len(dropped) / len(quarter), 3) == 0.448
    assert round(dropped["total_amount"].sum(), 2) == 3_653_377.42
    assert round(quarter["total_amount"].sum(), 2) == 6_193_245.02

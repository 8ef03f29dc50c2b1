"""The transformers that no pipeline has by default: duplicates, reversals, implausible trips, zone names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from mage_project.runner.run import Run
from mage_project.runner.running import importable
from taxi.services import columns_of
from tests.blocks.conftest import PROJECT, Block
from tests.blocks.test_nothing_dropped import START, frame_of
from tests.projects import block as yaml_block
from tests.projects import write_project

OPTIONAL = ["add_zone_names", "flag_implausible_trips", "drop_duplicate_trips", "pair_reversals"]
SNAKE_CASE = {"VendorID": "vendor_id", "PULocationID": "pu_location_id", "DOLocationID": "do_location_id"}
TRIP = {
    "VendorID": 2,
    "lpep_pickup_datetime": START,
    "lpep_dropoff_datetime": START + pd.Timedelta(minutes=30),
    "PULocationID": 7,
    "DOLocationID": 264,
    "trip_distance": 3.0,
    "total_amount": 14.3,
}


@pytest.fixture(params=["as published", "in snake case"])
def names(request: pytest.FixtureRequest) -> dict[str, str]:
    return {} if request.param == "as published" else SNAKE_CASE


def trips_of(*changes: dict[str, object], names: dict[str, str] | None = None) -> pd.DataFrame:
    return frame_of([TRIP | change for change in changes]).rename(columns=names or {})


def test_of_trips_that_are_the_same_the_first_stays(block: Block) -> None:
    trips = trips_of({}, {"VendorID": None}, {"VendorID": None}, {"trip_distance": 3.1}, {})
    kept = block("transformers/drop_duplicate_trips").drop_duplicate_trips(trips)
    assert kept["trip_distance"].tolist() == [3.0, 3.0, 3.1]
    assert kept.attrs["dropped"] == {"exact duplicate": {"rows": 2, "total_amount": 28.6}}


def test_a_fare_goes_with_its_reversal_and_no_other(block: Block, names: dict[str, str]) -> None:
    back = {"total_amount": -14.3}
    trips = trips_of({}, back, {}, back | {"PULocationID": 8}, {"total_amount": None}, names=names)
    pairing = block("transformers/pair_reversals")
    kept = pairing.pair_reversals(trips)
    assert kept["total_amount"].tolist()[:2] == [14.3, -14.3]
    assert kept.attrs["dropped"] == {"fare and its reversal": {"rows": 2, "total_amount": 0.0, "pairs": 1}}
    assert pairing.test_no_fare_has_its_reversal_beside_it(kept) == "1 negative amounts without a fare stay"


@pytest.mark.parametrize("name", ["drop_duplicate_trips", "pair_reversals"])
def test_what_has_to_see_everything_refuses_a_part(block: Block, name: str) -> None:
    with pytest.raises(ValueError, match="take `stream: true` off this block"):
        getattr(block(f"transformers/{name}"), name)(trips_of({}), stream=True)


IMPLAUSIBLE = {
    "distance": [{"trip_distance": 30_000.0}, {"trip_distance": -0.1}],
    "duration": [{"lpep_dropoff_datetime": START}, {"lpep_pickup_datetime": START - pd.Timedelta(hours=12)}],
    "speed": [{"trip_distance": 41.0}],
    "amount": [{"total_amount": 1000.01}, {"total_amount": -0.01}],
}


@pytest.mark.parametrize("what", IMPLAUSIBLE)
def test_implausible_trips_are_flagged_and_kept(block: Block, names: dict[str, str], what: str) -> None:
    trips = trips_of(*IMPLAUSIBLE[what], {}, {"trip_distance": None, "total_amount": None}, names=names)
    flagging = block("transformers/flag_implausible_trips")
    flagged = flagging.flag_implausible_trips(trips)
    flagging.test_there_are_flags(flagged)
    assert flagged[f"implausible_{what}"].tolist() == [True] * len(IMPLAUSIBLE[what]) + [False, False]
    assert flagged.attrs["changed"][f"implausible_{what}"]["rows"] == len(IMPLAUSIBLE[what])
    pd.testing.assert_frame_equal(flagged[list(trips.columns)], trips)


def test_the_limits_are_variables(block: Block) -> None:
    flag = block("transformers/flag_implausible_trips").flag_implausible_trips
    flagged = flag(trips_of({}), max_miles=2, max_hours=0.4, max_mph=5, max_dollars=10)
    assert set(flagged.attrs["changed"]) == {f"implausible_{what}" for what in IMPLAUSIBLE}


def test_a_service_is_flagged_by_what_it_publishes(block: Block) -> None:
    fhv = trips_of({}).drop(columns=["trip_distance", "total_amount"])
    fhv = fhv.rename(columns={"lpep_pickup_datetime": "pickup_datetime", "lpep_dropoff_datetime": "dropOff_datetime"})
    flagged = block("transformers/flag_implausible_trips").flag_implausible_trips(fhv)
    assert set(flagged.columns) - set(fhv.columns) == {"implausible_duration"}


def test_zones_are_found_by_number_and_every_trip_stays(block: Block, names: dict[str, str]) -> None:
    zones = block("data_loaders/load_taxi_zones").load_taxi_zones(source="sample_data")
    naming = block("transformers/add_zone_names")
    trips = trips_of({}, {"PULocationID": 56, "DOLocationID": 57}, {"DOLocationID": None}, names=names)
    named = naming.add_zone_names(trips, zones)
    assert named["pickup_zone"].tolist() == ["Astoria", "Corona", "Astoria"]
    assert named["dropoff_zone"].tolist() == ["NV", "Corona", pd.NA]
    assert named["dropoff_borough"].tolist() == ["Unknown", "Queens", pd.NA]
    naming.test_every_number_is_a_zone(named)
    odd = naming.add_zone_names(trips_of({"DOLocationID": 999}, {"DOLocationID": 266}), zones)
    with pytest.raises(AssertionError, match=r"no zones: \[266, 999\]"):
        naming.test_every_number_is_a_zone(odd)


@pytest.mark.parametrize("name", OPTIONAL)
def test_no_trips_stay_no_trips(block: Block, name: str) -> None:
    zones = [block("data_loaders/load_taxi_zones").load_taxi_zones(source="sample_data")] if "zone" in name else []
    assert len(getattr(block(f"transformers/{name}"), name)(trips_of(), *zones)) == 0


@pytest.mark.parametrize("month", ["yellow 2009-01 parquet", "fhv 2015-01 csv", "fhvhv 2025-01 parquet"])
@pytest.mark.parametrize("name", OPTIONAL)
def test_what_a_month_does_not_publish_is_no_obstacle(block: Block, name: str, month: str) -> None:
    values = {column: pa.array([1, 2]).cast(kind) for column, kind in columns_of(*month.split()).items()}
    zones = [block("data_loaders/load_taxi_zones").load_taxi_zones(source="sample_data")] if "zone" in name else []
    transformer = block(f"transformers/{name}")
    left = getattr(transformer, name)(pa.table(values).to_pandas(types_mapper=pd.ArrowDtype), *zones)
    assert len(left) == 2
    for test in (value for word, value in vars(transformer).items() if word.startswith("test_")):
        test(left)


def test_the_homework_s_quarter_has_no_duplicates_and_521_reversals(block: Block, quarter: pd.DataFrame) -> None:
    distinct = block("transformers/drop_duplicate_trips").drop_duplicate_trips(quarter)
    pairing = block("transformers/pair_reversals")
    kept = pairing.pair_reversals(distinct)
    assert (len(quarter), len(distinct), len(kept)) == (266_855, 266_855, 265_813)
    assert round(kept["total_amount"].sum(), 2) == round(quarter["total_amount"].sum(), 2) == 6_193_245.02
    assert pairing.test_no_fare_has_its_reversal_beside_it(kept) == "23 negative amounts without a fare stay"


def test_the_homework_s_quarter_is_flagged_as_known(block: Block, quarter: pd.DataFrame) -> None:
    flag = block("transformers/flag_implausible_trips").flag_implausible_trips
    assert {name: of["rows"] for name, of in flag(quarter).attrs["changed"].items()} == {
        "implausible_distance": 130,  # over 100 miles, the longest 205,654.12
        "implausible_duration": 1044,  # 351 of no time or less, 693 of more than 12 hours
        "implausible_speed": 537,
        "implausible_amount": 544,  # all of them below zero
    }
    assert flag(quarter, max_hours=1e9).attrs["changed"]["implausible_duration"]["rows"] == 351


def test_the_homework_s_quarter_keeps_its_unknown_zones(block: Block, quarter: pd.DataFrame) -> None:
    zones = block("data_loaders/load_taxi_zones").load_taxi_zones(source="sample_data")
    named = block("transformers/add_zone_names").add_zone_names(quarter, zones)
    pickups, dropoffs = (named[f"{end}_zone"].isin(["NV", "NA"]).sum() for end in ("pickup", "dropoff"))
    assert (len(named), pickups, dropoffs) == (266_855, 886, 2_208)
    assert not named["pickup_zone"].isna().any()


LOADER = """
import pandas as pd

@data_loader
def load(*args, **kwargs):
    trips = pd.DataFrame({
        "vendor_id": [2, 2, 2, 2], "pu_location_id": [7, 7, 265, 7], "do_location_id": 264,
        "lpep_pickup_datetime": pd.Timestamp("2020-10-01 00:00"),
        "lpep_dropoff_datetime": pd.Timestamp("2020-10-01 00:30"),
        "trip_distance": 3.0, "total_amount": [14.3, -14.3, 8.0, 8.0],
    }).convert_dtypes(dtype_backend="pyarrow")
    yield trips[:2].reset_index(drop=True)
    yield trips[2:].reset_index(drop=True)
"""


def test_a_pipeline_takes_them_one_behind_another(tmp_path: Path) -> None:
    """Two in the stream, beside a lookup; then two that gather it."""
    stream = {"configuration": {"stream": True}}
    blocks = [
        yaml_block("load", "data_loader", **stream),
        yaml_block("load_taxi_zones", "data_loader"),
        yaml_block("add_zone_names", "transformer", "load", "load_taxi_zones", **stream),
        yaml_block("flag_implausible_trips", "transformer", "add_zone_names", **stream),
        yaml_block("drop_duplicate_trips", "transformer", "flag_implausible_trips"),
        yaml_block("pair_reversals", "transformer", "drop_duplicate_trips"),
    ]
    code = {name: (PROJECT / f"transformers/{name}.py").read_text(encoding="utf-8") for name in OPTIONAL}
    code |= {
        "load": LOADER,
        "load_taxi_zones": (PROJECT / "data_loaders/load_taxi_zones.py").read_text(encoding="utf-8"),
    }
    project = write_project(tmp_path, blocks, code, variables={"source": str(PROJECT / "sample_data")})
    with importable(project.root):
        record = Run(project.pipeline("p"), project.pipeline("p").variables).execute()
    assert record.error is None
    assert [record.block(name).rows_out for name in ("load", *OPTIONAL)] == [4, 4, 4, 4, 2]
    assert record.block("flag_implausible_trips").changed == {
        "implausible_amount": {"rows": 1, "total_amount": -14.3},
    }
    assert record.block("pair_reversals").dropped == {
        "fare and its reversal": {"rows": 2, "total_amount": 0.0, "pairs": 1}
    }

"""Evolve, freeze, discard: for columns that are unknown, changed or missing, in Parquet and in CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from taxi.contracts import Contract, contract_of
from taxi.trips import month_frames, one_frame
from tests.taxi.drift import load, month_table, write_parquet
from tests.taxi.making import GREEN, HEADER, TRIP, text, trip, write_month


def values(trips: pd.DataFrame, name: str) -> list[object]:
    return list(pa.array(trips[name]).to_pylist())


def csv(folder: Path, content: bytes, contract: str | Mapping[str, str]) -> pd.DataFrame:
    write_month(folder, content)
    return one_frame(month_frames("green", "2020-10", str(folder), project=folder, contract=contract))


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A month with a column more, a column less, and words among the vendors."""
    table = month_table(
        "yellow", "2024-01", VendorID=pa.array(["1", "six", None]), extra=None, mood=pa.array([1, 2, 3], pa.int16())
    )
    write_parquet(tmp_path, "yellow", "2024-01", table)
    return tmp_path


def test_a_contract_is_a_word_or_a_word_for_each_aspect() -> None:
    assert contract_of("freeze") == Contract(unknown="freeze", changed="freeze", missing="freeze")
    assert contract_of({"unknown": "discard"}) == Contract(unknown="discard", changed="evolve", missing="evolve")


@pytest.mark.parametrize(
    ("given", "message"),
    [("freez", "'freez' is none of .* Did you mean 'freeze'"), ({"unkown": "freeze"}, "Did you mean 'unknown'")],
)
def test_other_words_are_refused(given: str | Mapping[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        contract_of(given)


def test_freeze_lists_everything_and_loads_nothing(odd: Path) -> None:
    with pytest.raises(ValueError, match=r"yellow_tripdata_2024-01\.parquet: ") as error:
        load(odd, "yellow", "2024-01", "freeze")
    assert "a column that is not declared: 'mood' (int16)" in str(error.value)
    assert "column VendorID is string instead of int32" in str(error.value)
    assert "missing column extra. The file has: VendorID, " in str(error.value)


@pytest.mark.filterwarnings("ignore:.*yellow_tripdata:UserWarning")
def test_discard_makes_null_of_what_does_not_fit_and_counts_it(odd: Path) -> None:
    trips = load(odd, "yellow", "2024-01", "discard")
    assert values(trips, "VendorID") == [1, None, None]
    assert values(trips, "extra") == [None] * 3
    assert "mood" not in trips
    assert trips.attrs["findings"] == [
        "a new column, not loaded because no type is declared: 'mood' (int16)",
        "column VendorID is string instead of int32, cast, with null for what does not fit",
        "missing column extra, loaded as null",
        "column VendorID: 1 value did not fit and became null",
    ]


@pytest.mark.filterwarnings("ignore:.*yellow_tripdata:UserWarning")
def test_evolve_loads_new_columns_and_loses_nothing(odd: Path) -> None:
    with pytest.raises(ValueError, match="row 2, column VendorID: 'six'"):
        load(odd, "yellow", "2024-01")
    trips = load(odd, "yellow", "2024-01", {"changed": "discard"})
    assert trips.columns[-1] == "mood"
    assert trips["mood"].dtype == pd.ArrowDtype(pa.int64())
    assert values(trips, "mood") == [1, 2, 3]


def test_a_new_column_without_a_value_waits_for_the_month_that_has_one(tmp_path: Path) -> None:
    write_parquet(tmp_path, "fhv", "2024-01", month_table("fhv", "2024-01", mood=pa.nulls(3)))
    write_parquet(tmp_path, "fhv", "2024-02", month_table("fhv", "2024-02", mood=pa.array([1, None, 3])))
    with pytest.warns(UserWarning, match="fhv_tripdata_2024-01.*entirely null, not loaded: .*'mood'"):
        assert "mood" not in load(tmp_path, "fhv", "2024-01")
    with pytest.warns(UserWarning, match="a new column"):
        assert values(load(tmp_path, "fhv", "2024-01..2024-02"), "mood") == [None, None, None, 1, None, 3]
    with pytest.raises(ValueError, match="a column that is not declared: 'mood' \\(null\\)"):
        load(tmp_path, "fhv", "2024-01", "freeze")


@pytest.mark.filterwarnings("ignore:.*a new column:UserWarning")
def test_new_columns_of_several_months_fit_together(tmp_path: Path) -> None:
    write_parquet(tmp_path, "fhv", "2024-01", month_table("fhv", "2024-01", Mood=pa.array([1, 2, 3])))
    write_parquet(tmp_path, "fhv", "2024-02", month_table("fhv", "2024-02", mood=pa.array([0.5, 1.5, 2.5])))
    write_parquet(tmp_path, "fhv", "2024-03", month_table("fhv", "2024-03"))
    trips = load(tmp_path, "fhv", "2024-01..2024-03")
    assert values(trips, "Mood") == [1.0, 2.0, 3.0, 0.5, 1.5, 2.5, None, None, None]
    assert "mood" not in trips


def test_new_columns_that_fit_no_common_type_are_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path, "fhv", "2024-01", month_table("fhv", "2024-01", mood=pa.array([1, 2, 3])))
    write_parquet(tmp_path, "fhv", "2024-02", month_table("fhv", "2024-02", mood=pa.array(["x", "y", "z"])))
    with pytest.raises(ValueError, match=r"2024-02\.parquet, column 'mood': it is string here and int64 in another"):
        load(tmp_path, "fhv", "2024-01..2024-02")


@pytest.mark.filterwarnings("ignore:.*fhv_tripdata:UserWarning")
@pytest.mark.parametrize("contract", ["evolve", "discard", "freeze"])
def test_no_contract_does_without_the_pickup_time(tmp_path: Path, contract: str) -> None:
    write_parquet(tmp_path, "fhv", "2024-01", month_table("fhv", "2024-01", pickup_datetime=None))
    with pytest.raises(ValueError, match="missing column pickup_datetime"):
        load(tmp_path, "fhv", "2024-01", contract)
    bad = month_table("fhv", "2024-01", pickup_datetime=pa.array(["2024-01-01 00:00:00", "soon", None]))
    write_parquet(tmp_path, "fhv", "2024-01", bad)
    with pytest.raises(ValueError, match="column pickup_datetime"):
        load(tmp_path, "fhv", "2024-01", contract)


def test_a_csv_evolves_too(tmp_path: Path) -> None:
    content = text(f"{TRIP},great", f"{TRIP},", header=f"{HEADER.replace('extra', 'extras')},mood")
    with pytest.warns(UserWarning, match="column") as said:
        trips = csv(tmp_path, content, "evolve")
    assert [str(each.message).partition(": ")[2] for each in said] == [
        "a new column, loaded as text: 'extras' and 'mood'",
        "missing column extra, loaded as null. Did you mean 'extras'?",
    ]
    assert values(trips, "mood") == ["great", None]
    assert values(trips, "extras") == ["0.5", "0.5"]
    assert values(trips, "extra") == [None, None]
    assert trips.columns.tolist() == [*GREEN, "extras", "mood"]


def test_a_file_without_columns_is_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path, "fhv", "2024-01", pa.table({}))
    with pytest.raises(ValueError, match=r"missing column pickup_datetime\. The file has no columns\."):
        load(tmp_path, "fhv", "2024-01")


def test_a_column_without_a_name_is_refused_and_can_be_left_out(tmp_path: Path) -> None:
    content = text(f"7,{TRIP}", header=f",{HEADER}")
    with pytest.raises(ValueError, match=r"line 1: there is a column without a name.*contract: {unknown: discard}"):
        csv(tmp_path, content, "evolve")
    with pytest.warns(UserWarning, match="a new column, not loaded"):
        assert csv(tmp_path, content, "discard").columns.tolist() == list(GREEN)


def test_a_csv_discards_what_does_not_fit(tmp_path: Path) -> None:
    lines = [trip(VendorID="six", tip_amount="nan"), trip(VendorID="1.0", extra=" "), trip(VendorID="?")]
    with pytest.warns(UserWarning, match="did not fit and became null") as said:
        trips = csv(tmp_path, text(*lines).replace(b"?", b"\xff"), "discard")
    assert len(said) == 2
    assert values(trips, "VendorID") == [None, 1, None]
    assert values(trips, "tip_amount") == [None, 1.58, 1.58]
    assert trips.attrs["findings"] == [
        "column VendorID: 2 values did not fit and became null",
        "column tip_amount: 1 value did not fit and became null",
    ]


@pytest.mark.parametrize("contract", ["evolve", "discard", "freeze"])
def test_one_column_under_two_names_is_refused(tmp_path: Path, contract: str) -> None:
    write_parquet(tmp_path, "yellow", "2024-01", month_table("yellow", "2024-01", Airport_fee=pa.array([1.0] * 3)))
    with pytest.raises(ValueError, match="names occur more than once: 'airport_fee' and 'Airport_fee'"):
        load(tmp_path, "yellow", "2024-01", contract)

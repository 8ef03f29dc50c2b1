from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from mage_project.errors import BlockError
from mage_project.mage_ai.actions.building import build_action_variables, build_transformer_action
from mage_project.mage_ai.actions.cleaning import clean_column_name
from mage_project.mage_ai.actions.execution import BaseAction
from mage_project.mage_ai.actions.names import ActionType, Axis, ColumnType
from tests.mage_ai.action_cases import CASES, FILTERS, TRIPS


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.ERROR):
        yield


@pytest.fixture
def trips() -> pd.DataFrame:
    return pd.DataFrame(TRIPS)


def done(df: pd.DataFrame, kind: str, axis: str = Axis.COLUMN, **given: Any) -> pd.DataFrame:
    return BaseAction(build_transformer_action(df, kind, axis=axis, **given)).execute(df)


def arrow(df: pd.DataFrame) -> pd.DataFrame:
    """The frame with Arrow's types, as blocks of streams have it."""
    return df.convert_dtypes(dtype_backend="pyarrow")


@pytest.mark.parametrize("code", FILTERS)
def test_a_filter_finds_the_same_rows_in_arrow_types(trips, code):
    plain = done(trips, ActionType.FILTER, Axis.ROW, action_code=code)
    found = done(arrow(trips), ActionType.FILTER, Axis.ROW, action_code=code)
    assert found.index.tolist() == plain.index.tolist()
    assert found.dtypes.tolist() == arrow(trips).dtypes.tolist()


def is_for_any_type(name: str) -> bool:
    """Lists have another type in Arrow, chance is chance, and filters have a test of their own."""
    action = CASES[name].get("action", {"action_variables": {}})
    return "action_variables" not in action and not name.startswith(
        ("impute lists", "impute random", "filter", "empty")
    )


@pytest.mark.parametrize("name", [name for name in CASES if is_for_any_type(name)])
def test_an_action_does_the_same_to_arrow_types(name):
    case = CASES[name]
    plain, typed = frame(case), arrow(frame(case))
    kinds = {"df_to_join": pd.DataFrame(case["other"])} if "other" in case else {}
    wanted = BaseAction(build_transformer_action(plain, **case["action"])).execute(plain, **kinds)
    kinds = {"df_to_join": pd.DataFrame(case["other"])} if "other" in case else {}
    found = BaseAction(build_transformer_action(typed, **case["action"])).execute(typed, **kinds)
    assert values(found) == values(wanted)


def frame(case: dict[str, Any]) -> pd.DataFrame:
    df = pd.DataFrame(case["frame"])
    for name in case.get("times", []):
        df[name] = pd.to_datetime(df[name])
    return df


def values(df: pd.DataFrame) -> dict[str, list[Any]]:
    """What is in the columns, whatever its type."""
    return {
        name: [None if pd.isna(value) else value if isinstance(value, str) else str(pd.Timestamp(value)) if
               isinstance(value, pd.Timestamp) else round(float(value), 9) for value in df[name]]
        for name in df.columns
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "clean"),
    [("VendorID", "vendor_i_d"), ("Pickup Date", "pickup_date"), ("2020", "number_2020"), ("class", "class_"),
     ("camelCase", "camel_case"), ("CO2", "co2"), ("trip-distance", "trip_distance"), (2020, "number_2020")],
)  # fmt: skip
def test_a_column_name_is_cleaned(name, clean):
    assert clean_column_name(name) == clean


def test_the_types_of_columns_are_inferred(trips):
    kinds = {name: variable["feature"]["column_type"] for name, variable in build_action_variables(trips).items()}
    assert kinds["fare"] == ColumnType.NUMBER_WITH_DECIMALS
    assert kinds["pickup"] == ColumnType.DATETIME
    assert build_action_variables(trips, {"fare": "text"}, ["fare"])["fare"]["feature"]["column_type"] == "text"


def test_a_large_frame_gets_the_same_types_each_time():
    df = pd.DataFrame({"n": range(200_000), "t": [f"word {number % 7}" for number in range(200_000)]})
    assert build_action_variables(df) == build_action_variables(df)
    assert build_action_variables(df)["t"]["feature"]["column_type"] == ColumnType.CATEGORY


def test_whole_amounts_with_a_comma_are_numbers():
    df = pd.DataFrame({"amount": ["$1,000", "$2", "$3"]})
    assert build_action_variables(df)["amount"]["feature"]["column_type"] == ColumnType.NUMBER


def test_a_filter_keeps_rows_whose_index_label_comes_twice(trips):
    twice = pd.concat([trips, trips])
    assert len(done(twice, ActionType.FILTER, Axis.ROW, action_code="VendorID == 2")) == 6


@pytest.mark.parametrize(("kind", "value"), [("first", 7.5), ("last", 80.0)])
def test_the_first_and_the_last_value_of_all_rows(trips, kind, value):
    found = done(trips, kind, arguments=["fare"], outputs=[{"uuid": "new", "column_type": "number"}])
    assert found["new"].tolist() == [value] * 6


def test_an_action_that_adds_a_column_adds_it_to_the_given_frame_too(trips):
    done(trips, ActionType.DIFF, arguments=["fare"], outputs=[{"uuid": "change"}])
    assert "change" in trips


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "explode"}, r"a name without an action.*\n.*df.explode"),
        ({"kind": "filter"}, r"no action 'filter' for axis 'column'.\n.*Axis.ROW"),
        ({"kind": "averge"}, r"Did you mean 'average'"),
        ({"kind": "filter", "axis": "row", "action_code": "fair > 1"}, r"no column 'fair'. Did you mean 'fare'"),
        ({"kind": "filter", "axis": "row", "action_code": "flag == Y"}, r"'Y' is neither a value nor a column"),
        ({"kind": "filter", "axis": "row", "action_code": "fare>1"}, r"`fare>1` is no condition.*\n.*a space"),
        ({"kind": "filter", "axis": "row", "action_code": "fare => 1"}, r"'=>' is no comparison"),
        ({"kind": "filter", "axis": "row", "action_code": "fare contains '1'"}, r"'fare' has none"),
        ({"kind": "count", "arguments": ["fare"]}, r"needs the columns to group by"),
        ({"kind": "sum", "arguments": ["fare"]}, r"needs the name of the new column"),
        ({"kind": "impute", "arguments": ["fare"], "options": {"strategy": "no_action"}}, r"no strategy 'no_action'"),
        ({"kind": "reformat", "arguments": ["zone"], "options": {"reformat": "trimm"}}, r"Did you mean 'trim'"),
        ({"kind": "add", "arguments": ["fare"], "options": {"udf": "adition"}}, r"Did you mean 'addition'"),
        ({"kind": "add", "arguments": ["fare"], "options": {"udf": "multiply"}, "outputs": [{"uuid": "n"}]}, "value"),
        ({"kind": "remove_outliers", "arguments": ["fare"], "options": {"method": "lov"}}, r"Did you mean 'lof'"),
        ({"kind": "join", "options": {}}, r"needs the other frame"),
        ({"kind": "custom"}, r"needs code"),
    ],
)  # fmt: skip
def test_what_is_told_wrongly_is_an_error(trips, given, words):
    with pytest.raises(BlockError, match=words):
        done(trips, **given)

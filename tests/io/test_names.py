from __future__ import annotations

import pytest

from mage_project.errors import StoreError
from mage_project.io import names


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("VendorID", "vendorid"),
        ("total amount", "total_amount"),
        ("2nd fare", "letter_2nd_fare"),
        ("date", "_date"),
        ("User", "_user"),
        ('"quoted"', "quoted"),
        ("\ufeffid", "id"),
        ("cost $", "cost_"),
        ("a-b.c", "a_b_c"),
        ("Größe", "größe"),
        (7, "letter_7"),
    ],
)
def test_a_column_is_named_as_in_mage(given, cleaned):
    assert names.column_name(given) == cleaned


def test_reserved_words_and_case_can_be_kept():
    assert names.column_name("Date", allow_reserved_words=True, case_sensitive=True) == "Date"
    assert names.column_name("Date", case_sensitive=True) == "_Date"


def test_cleaning_twice_changes_nothing():
    for word in ["VendorID", "date", "2nd", "x y"]:
        once = names.column_name(word)
        assert names.column_name(once) == once


def test_a_name_that_is_empty_once_cleaned_is_refused():
    with pytest.raises(StoreError, match=r"empty once '\$' is cleaned"):
        names.column_names(["$"])


@pytest.mark.parametrize(
    ("given", "meant"),
    [("Trips", "trips"), ('"Trips"', "Trips"), ('"a""b"', 'a"b'), ("My Trips", "My Trips"), ("Ärger", "Ärger")],
)
def test_a_table_is_what_sql_would_mean(given, meant):
    assert names.identifier(given, "table") == meant


def test_schema_and_table_may_be_one_name():
    assert names.split("mage.trips") == ("mage", "trips")
    assert names.split("two words.trips") == (None, "two words.trips")


def test_a_name_beside_another_is_never_too_long():
    beside = names.beside("ü" * 31, "12345678")
    assert beside.endswith("_12345678")
    assert len(beside.encode()) <= names.MAX_BYTES

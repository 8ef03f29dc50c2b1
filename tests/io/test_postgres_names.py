from __future__ import annotations

import pandas as pd
import pytest

from mage_project.errors import StoreError

ODD = [
    'he said "hi"',
    "it's",
    "a; DROP TABLE trips; --",
    "two words",
    "ünïcode ✓",
    "a.b",
    "%s %(x)s {}",
    "back\\slash",
    "SELECT",
    "line\nend",
    "x" * 63,
]


@pytest.mark.parametrize("name", ODD)
def test_a_table_may_have_any_name(database, name):
    for policy in ("replace", "append", "replace"):
        database.export(pd.DataFrame({"id": [1]}), name, if_exists=policy)
    assert [table.lower() for table in database.tables()] == [name.lower()]


@pytest.mark.parametrize("name", ODD)
def test_a_column_may_have_any_name_where_names_are_not_cleaned(database, name):
    keys = {"unique_constraints": [name], "unique_conflict_method": "UPDATE"}
    for policy in ("replace", "append"):
        database.export(pd.DataFrame({name: [1], "rank": [2]}), auto_clean_name=False, if_exists=policy, **keys)
    assert list(database.types()) == [name, "rank"]
    assert database.rows() == [(1, 2)]


@pytest.mark.parametrize("name", ODD[:4])
def test_a_schema_may_have_any_name(database, name):
    with database.connector() as loader:
        try:
            loader.export(pd.DataFrame({"n": [1]}), name, "trips")
            assert loader.sample(name, "trips")["n"].tolist() == [1]
        finally:
            loader.execute('DROP SCHEMA IF EXISTS "{}" CASCADE'.format(name.replace('"', '""')))
            loader.commit()


def test_a_plain_name_is_folded_as_postgres_does_and_a_quoted_one_is_not(database):
    database.export(pd.DataFrame({"n": [1]}), "Green_Taxi")
    database.export(pd.DataFrame({"n": [2]}), "green_taxi")
    database.export(pd.DataFrame({"n": [3]}), '"Green_Taxi"')
    assert database.tables() == ["Green_Taxi", "green_taxi"]
    assert database.rows("SELECT * FROM $.green_taxi") == [(2,)]


@pytest.mark.parametrize(
    ("name", "words"), [("x" * 64, "64 bytes, at most 63"), ("ü" * 32, "64 bytes"), ("a\0b", "NUL"), ('""', "empty")]
)
def test_what_postgres_cannot_hold_is_refused(database, name, words):
    with pytest.raises(StoreError, match=words):
        database.export(pd.DataFrame({"n": [1]}), name)
    with pytest.raises(StoreError, match=words if name != '""' else "empty"):
        database.export(pd.DataFrame({"" if name == '""' else name: [1]}), auto_clean_name=False)


def test_two_columns_that_become_one_are_refused(database):
    with pytest.raises(StoreError, match=r"columns 'Fare' and 'fare' would both be 'fare'"):
        database.export(pd.DataFrame({"Fare": [1], "fare": [2]}))


def test_values_are_data_whatever_they_say(database):
    evil = ["'); DROP TABLE trips; --", "\\N", "\\.", "%s", "{}"]
    for policy in ("replace", "append"):
        keys = {"unique_constraints": ["t"], "unique_conflict_method": "UPDATE"}
        database.export(pd.DataFrame({"t": evil}), if_exists=policy, **keys)
    assert {text for (text,) in database.rows()} == set(evil)

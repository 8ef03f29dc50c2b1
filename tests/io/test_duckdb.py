"""The connector to DuckDB: files, types, transactions and errors."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from decimal import Decimal

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.io import commits
from mage_project.io.duckdb import DuckDB


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "store.duckdb")


def rows(path, query="SELECT * FROM trips ORDER BY 1"):
    with duckdb.connect(path) as connection:
        return connection.execute(query).fetchall()


def export(path, data, **options):
    with DuckDB(path) as loader:
        loader.export(data, table_name="trips", **options)


def test_a_frame_becomes_a_table_with_the_types_of_its_columns(path):
    table = pa.table(
        {
            "Trip ID": pa.array([1, None], pa.int32()),
            "amount": pa.array([Decimal("1.25"), None], pa.decimal128(10, 2)),
            "at": pa.array([datetime(2024, 1, 1, 2, 3), None], pa.timestamp("us")),
            "word": ["a", None],
            "flag": [True, None],
        }
    )
    export(path, table)
    query = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'trips' ORDER BY column_index"
    assert rows(path, query) == [
        ("trip_id", "INTEGER"),
        ("amount", "DECIMAL(10,2)"),
        ("_at", "TIMESTAMP"),
        ("word", "VARCHAR"),
        ("flag", "BOOLEAN"),
    ]
    assert rows(path)[0] == (1, Decimal("1.25"), datetime(2024, 1, 1, 2, 3), "a", True)


def test_an_iterator_of_frames_is_one_table(path):
    export(path, (pd.DataFrame({"n": [start, start + 1]}) for start in (1, 3, 5)))
    assert rows(path) == [(n,) for n in range(1, 7)]


def test_replace_takes_the_new_columns_and_append_adds(path):
    export(path, pd.DataFrame({"n": [1]}))
    export(path, pd.DataFrame({"word": ["x"]}))
    export(path, pd.DataFrame({"word": ["y"]}), if_exists="append")
    assert rows(path) == [("x",), ("y",)]


def test_fail_wants_no_table(path):
    export(path, pd.DataFrame({"n": [1]}), if_exists="fail")
    with pytest.raises(StoreError, match=r"main\.trips already exists"):
        export(path, pd.DataFrame({"n": [2]}), if_exists="fail")
    assert rows(path) == [(1,)]


def test_append_refuses_a_value_that_does_not_fit(path):
    export(path, pd.DataFrame({"n": [1]}))
    with pytest.raises(StoreError, match=r"column 'n': 2\.5 in row 1"):
        export(path, pd.DataFrame({"n": [2.5]}), if_exists="append")
    assert rows(path) == [(1,)]


def test_append_names_a_column_that_the_table_does_not_have(path):
    export(path, pd.DataFrame({"vendor": [1]}))
    with pytest.raises(StoreError, match=r"no column 'vendr'.*Did you mean 'vendor'"):
        export(path, pd.DataFrame({"vendr": [2]}), if_exists="append")


def test_a_source_that_breaks_leaves_the_table_as_it_was(path):
    export(path, pd.DataFrame({"n": [1]}))

    def frames():
        yield pd.DataFrame({"n": [2]})
        raise RuntimeError("the source broke")

    with pytest.raises(Exception, match="the source broke"):
        export(path, frames())
    assert rows(path) == [(1,)]


def test_a_query_is_written_within_the_database(path):
    export(path, None, query_string="SELECT range AS n FROM range(3);")
    export(path, None, query_string="SELECT 7", if_exists="append")
    assert rows(path) == [(0,), (1,), (2,), (7,)]


def test_load_gives_every_row_or_as_many_as_asked(path):
    export(path, pd.DataFrame({"n": [1, 2, 3]}))
    with DuckDB(path) as loader:
        assert len(loader.load("SELECT * FROM trips;")) == 3
        assert len(loader.load("SELECT * FROM trips -- all", limit=2)) == 2
        assert loader.table_exists(None, "TRIPS")
        assert not loader.table_exists(None, "other")


def test_statements_take_arguments(path):
    with DuckDB(path) as loader:
        loader.execute("CREATE TABLE trips AS SELECT $n AS n", n=5)
    assert rows(path) == [(5,)]


def test_a_profile_names_the_database_and_the_schema(path):
    config = {"DUCKDB_DATABASE": path, "DUCKDB_SCHEMA": "mine", "MOTHERDUCK_TOKEN": None}
    with DuckDB.with_config(config) as loader:
        loader.export(pd.DataFrame({"n": [1]}), table_name="trips")
    assert rows(path, "SELECT * FROM mine.trips") == [(1,)]


def test_where_commits_are_collected_nothing_is_there_before(path):
    with commits.collecting() as collected:
        export(path, pd.DataFrame({"n": [1]}))
        with DuckDB(path) as second:  # the block's own second connector sees it
            assert len(second.load("SELECT * FROM trips")) == 1
    collected.rollback_all()
    assert rows(path, "SELECT count(*) FROM duckdb_tables()") == [(0,)]
    with commits.collecting() as collected:
        export(path, pd.DataFrame({"n": [1]}))
    collected.commit_all()
    assert rows(path) == [(1,)]


def test_a_file_that_another_program_has_open_may_be_free_later(path):
    hold = f"import duckdb, sys; c = duckdb.connect({path!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreUnavailable, match="open in another program"):
            DuckDB(path).open()
        holder.stdin.close()


def test_a_database_in_a_folder_that_is_not_there_says_what_to_make(tmp_path):
    with pytest.raises(StoreError, match="refused while opening it") as caught:
        DuckDB(str(tmp_path / "none" / "store.duckdb")).open()
    assert caught.value.hint.startswith(f"mkdir -p {tmp_path}/none, or")


def test_a_query_that_is_wrong_says_what_duckdb_says(path):
    export(path, pd.DataFrame({"vendor": [1]}))
    with DuckDB(path) as loader, pytest.raises(StoreError, match='column "vendr" not found') as caught:
        loader.load("SELECT vendr FROM trips")
    assert "{" not in str(caught.value)
    assert caught.value.hint == "did you mean vendor?"

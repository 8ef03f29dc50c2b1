"""SQL blocks in DuckDB: a file, a database in memory, and errors."""

from __future__ import annotations

import duckdb
import pytest

from tests.projects import block
from tests.runner.sql_projects import run, sql_block

NUMBERS = """
import pandas as pd

@data_loader
def load(**kwargs):
    return pd.DataFrame({'n': [1, 2, 3], 'word': ['a', 'b', None]})
"""


def duck(uuid, kind, *upstream, **configuration):
    return sql_block(uuid, kind, *upstream, data_provider="duckdb", data_provider_profile="duck", **configuration)


def rows(tmp_path, query):
    with duckdb.connect(str(tmp_path / "store.duckdb")) as connection:
        return connection.execute(query).fetchall()


def test_the_output_of_an_upstream_python_block_is_a_table_and_so_is_the_result(tmp_path):
    blocks = [block("numbers", "data_loader"), duck("double", "transformer", "numbers")]
    record = run(tmp_path, blocks, {"numbers": NUMBERS, "double": "SELECT n * 2 AS twice FROM {{ df_1 }} WHERE n > 1;"})
    assert record.error is None
    assert rows(tmp_path, "SELECT * FROM dev_p_numbers_v1 ORDER BY 1") == [(1, "a"), (2, "b"), (3, None)]
    assert rows(tmp_path, "SELECT * FROM dev_p_double_v1 ORDER BY 1") == [(4,), (6,)]
    assert [(each.rows_out, each.rows_written) for each in record.blocks] == [(3, None), (2, 2)]


@pytest.mark.parametrize("asked", ["first", "x.first"])
def test_of_a_missing_column_it_is_said_what_it_is_called_in_the_table(tmp_path, asked):
    blocks = [block("numbers", "data_loader"), duck("words", "transformer", "numbers")]
    numbers = NUMBERS.replace("word", "first")
    record = run(tmp_path, blocks, {"numbers": numbers, "words": f"SELECT {asked} FROM {{{{ df_1 }}}} x"})
    assert "next:  the column 'first' of a frame is called '_first' in its table, as in Mage" in record.error


def test_an_upstream_sql_block_s_table_is_used_in_its_own_schema(tmp_path):
    blocks = [
        duck("first", "data_loader", schema="mine", data_provider_table="firsts"),
        duck("second", "data_exporter", "first"),
    ]
    assert (
        run(tmp_path, blocks, {"first": "SELECT 1 AS n", "second": "SELECT n + 1 AS n FROM {{ df_1 }}"}).error is None
    )
    assert rows(tmp_path, "SELECT * FROM main.dev_p_second_v1") == [(2,)]
    assert rows(tmp_path, "SELECT * FROM mine.firsts") == [(1,)]


@pytest.mark.parametrize(("policy", "expected"), [("append", [(1,), (1,)]), ("replace", [(1,)])])
def test_the_write_policy_says_what_becomes_of_the_table(tmp_path, policy, expected):
    blocks = [duck("one", "data_exporter", data_provider_table="ones", export_write_policy=policy)]
    for _ in range(2):
        assert run(tmp_path, blocks, {"one": "SELECT 1 AS n"}).error is None
    assert rows(tmp_path, "SELECT * FROM ones") == expected


def test_raw_statements_run_as_one_transaction(tmp_path):
    blocks = [duck("fill", "data_exporter", use_raw_sql=True)]
    code = "CREATE TABLE t (word text); INSERT INTO t VALUES ('a;b'), ($$c;d$$); SELECT error('no');"
    assert "no" in run(tmp_path, blocks, {"fill": code}).error
    assert rows(tmp_path, "SELECT count(*) FROM duckdb_tables()") == [(0,)]
    record = run(tmp_path, blocks, {"fill": code.replace("SELECT error('no')", "SELECT 1")})
    assert record.error is None
    assert (record.blocks[0].rows_out, record.blocks[0].rows_written) == (2, 2)


def test_a_file_may_be_read_without_a_database(tmp_path):
    (tmp_path / "trips.csv").write_text("n\n1\n2\n")
    blocks = [sql_block("read", "data_loader", data_provider="duckdb", use_raw_sql=True)]
    record = run(tmp_path, blocks, {"read": f"FROM '{tmp_path}/trips.csv'"})
    assert record.error is None
    assert record.blocks[0].rows_out == 2


@pytest.mark.parametrize(
    ("code", "told", "place"),
    [
        ("SELECT 'é' AS a,\n  nope", 'column "nope"', "read.sql:2:3"),
        ("SELECT *\nFORM x", 'syntax error at or near "x"', "read.sql:2:6"),
    ],
)
@pytest.mark.parametrize("is_raw", [True, False])
def test_an_error_shows_the_line_and_the_place_in_the_file(tmp_path, code, told, place, is_raw):
    record = run(tmp_path, [duck("read", "data_loader", use_raw_sql=is_raw)], {"read": code})
    assert told in record.error
    assert f"data_loaders/{place}" in record.error
    assert "{" not in record.error


def test_a_failing_block_leaves_the_tables_as_they_were(tmp_path):
    blocks = [duck("one", "data_exporter", data_provider_table="ones", export_write_policy="replace")]
    assert run(tmp_path, blocks, {"one": "SELECT 1 AS n"}).error is None
    assert run(tmp_path, blocks, {"one": "SELECT error('no') AS n"}).error is not None
    assert rows(tmp_path, "SELECT * FROM ones") == [(1,)]


def test_rows_go_from_one_store_to_another_by_way_of_the_frame(tmp_path, postgres_env):
    blocks = [sql_block("read", "data_loader", use_raw_sql=True), duck("write", "data_exporter", "read")]
    assert run(tmp_path, blocks, {"read": "SELECT 1 AS n", "write": "SELECT n + 1 AS n FROM {{ df_1 }}"}).error is None
    assert rows(tmp_path, "SELECT * FROM dev_p_write_v1") == [(2,)]

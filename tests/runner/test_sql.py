"""SQL blocks in Postgres: what they read, what they write, and what they hand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.io.conftest import Database
from tests.projects import block
from tests.runner.sql_projects import run, sql_block


@pytest.fixture
def database(postgres_env: dict[str, str]) -> Iterator[Database]:
    database = Database(postgres_env)
    database.run("CREATE SCHEMA $")
    yield database
    database.close()


NUMBERS = """
import pandas as pd

@data_loader
def load(**kwargs):
    return pd.DataFrame({'n': [1, 2, 3], 'word': ['a', 'b', None]})
"""
LOOK = "@data_exporter\ndef look(value, **kwargs):\n    kwargs['seen'].append(value)\n"


def test_the_output_of_an_upstream_python_block_is_a_table_and_so_is_the_result(tmp_path, database):
    blocks = [block("numbers", "data_loader"), sql_block("double it", "transformer", "numbers", schema=database.schema)]
    record = run(
        tmp_path, blocks, {"numbers": NUMBERS, "double it": "SELECT n * 2 AS twice FROM {{df_1}} WHERE n > 1;"}
    )
    assert record.error is None
    assert database.rows("SELECT * FROM $.dev_p_numbers_v1 ORDER BY 1") == [(1, "a"), (2, "b"), (3, None)]
    assert database.rows("SELECT * FROM $.dev_p_double_it_v1 ORDER BY 1") == [(4,), (6,)]
    assert [(each.rows_in, each.rows_out, each.rows_written) for each in record.blocks] == [(None, 3, None), (3, 2, 2)]


@pytest.mark.parametrize("spelling", ["{{df_1}}", "{{ df_1 }}", "{{  df_1}}", "{{- ' ' + df_1 -}}"])
def test_the_table_s_name_may_be_spelt_in_any_way(tmp_path, database, spelling):
    blocks = [block("numbers", "data_loader"), sql_block("all", "transformer", "numbers", schema=database.schema)]
    record = run(tmp_path, blocks, {"numbers": NUMBERS, "all": f"SELECT * FROM {spelling} WHERE true"})
    assert record.error is None
    assert record.block("all").rows_out == 3


def test_an_upstream_sql_block_s_table_is_used_as_it_is(tmp_path, database, seen):
    blocks = [
        sql_block("first", "data_loader", schema=database.schema, data_provider_table="firsts"),
        sql_block("second", "transformer", "first", schema=database.schema),
        block("look", "data_exporter", "second"),
    ]
    code = {"first": "SELECT 1 AS n", "second": "SELECT n + 1 AS n FROM {{ df_1 }}", "look": LOOK}
    record = run(tmp_path, blocks, code, {"seen": seen})
    assert record.error is None
    assert database.tables() == ["dev_p_second_v1", "firsts"]
    assert seen[0]["n"].tolist() == [2]


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("SELECT sum(n) FROM {{ df_1 }}", 3),
        ("SELECT sum(x.n) FROM {{ df_1 }} AS x", 3),
        ("SELECT sum(x.n) FROM {{ df_1 }} x", 3),
        ("SELECT count(*) FROM {{ df_1 }} a JOIN {{ df_1 }} b ON a.n = b.n", 2),
        ("SELECT sum(n) FROM {{ df_1 }} WHERE n > 1", 2),
    ],
)
def test_a_raw_query_upstream_stands_in_the_place_of_a_table(tmp_path, database, seen, use, expected):
    blocks = [
        sql_block("first", "data_loader", use_raw_sql=True),
        sql_block("second", "transformer", "first", use_raw_sql=True),
        block("look", "data_exporter", "second"),
    ]
    record = run(
        tmp_path, blocks, {"first": "SELECT generate_series(1, 2) AS n;", "second": use, "look": LOOK}, {"seen": seen}
    )
    assert record.error is None
    assert seen[0].iloc[0, 0] == expected
    assert database.tables() == []


@pytest.mark.parametrize(
    ("policy", "rows"),
    [
        ({}, [(1,), (1,)]),
        ({"export_write_policy": "append"}, [(1,), (1,)]),
        ({"export_write_policy": "replace"}, [(1,)]),
    ],
)
def test_the_write_policy_says_what_becomes_of_the_table(tmp_path, database, policy, rows):
    blocks = [sql_block("one", "data_loader", schema=database.schema, **policy)]
    for _ in range(2):
        assert run(tmp_path, blocks, {"one": "SELECT 1 AS n"}).error is None
    assert database.rows("SELECT * FROM $.dev_p_one_v1") == rows


def test_the_policy_fail_wants_no_table(tmp_path, database):
    blocks = [sql_block("one", "data_loader", schema=database.schema, export_write_policy="fail")]
    run(tmp_path, blocks, {"one": "SELECT 1 AS n"})
    record = run(tmp_path, blocks, {"one": "SELECT 2 AS n"})
    assert "already exists" in record.error
    assert database.rows("SELECT * FROM $.dev_p_one_v1") == [(1,)]


def test_raw_statements_run_as_one_transaction(tmp_path, database):
    blocks = [sql_block("fill", "data_exporter", use_raw_sql=True)]
    code = f"""
    -- the table; and its rows
    CREATE TABLE {database.schema}.t (word text);
    INSERT INTO {database.schema}.t VALUES ('a;b'), ($$c;d$$);
    SELECT 1 / 0;
    """
    assert "division by zero" in run(tmp_path, blocks, {"fill": code}).error
    assert database.tables() == []
    record = run(tmp_path, blocks, {"fill": code.replace("1 / 0", "1")})
    assert record.error is None
    assert database.rows("SELECT * FROM $.t") == [("a;b",), ("c;d",)]
    assert (record.blocks[0].rows_out, record.blocks[0].rows_written) == (2, 2)


def test_raw_sql_hands_on_the_result_of_its_last_query(tmp_path, database, seen):
    blocks = [sql_block("read", "data_loader", use_raw_sql=True), block("look", "data_exporter", "read")]
    run(tmp_path, blocks, {"read": "SELECT 1 AS a; SELECT 2 AS b", "look": LOOK}, {"seen": seen})
    assert seen[0].to_dict("list") == {"b": [2]}


def test_raw_sql_that_fills_a_table_hands_on_its_first_thousand_rows_and_says_so(tmp_path, database, seen):
    blocks = [sql_block("fill", "data_loader", use_raw_sql=True), block("look", "data_exporter", "fill")]
    code = f"CREATE TABLE {database.schema}.t AS SELECT generate_series(1, 1500) AS n"
    record = run(tmp_path, blocks, {"fill": code, "look": LOOK}, {"seen": seen})
    assert len(seen[0]) == 1000
    (warning,) = record.warnings
    assert warning.startswith(f"1,000 of the 1,500 rows of {database.schema}.t are handed on")


def test_an_error_shows_the_line_and_the_place_in_the_file(tmp_path, database):
    blocks = [sql_block("read", "data_loader", schema=database.schema)]
    code = "-- about\nSELECT {{ columns }},\n  {% if true %}date{% endif %}\nFROM (SELECT 1 AS a) x\n"
    record = run(tmp_path, blocks, {"read": code}, {"columns": "a, a AS a_rather_long_name_for_one"})
    assert 'column "date" does not exist' in record.error
    assert "the column 'date' of a frame is called '_date' in its table" in record.error
    assert "3 |   {% if true %}date{% endif %}\n    |                ^" in record.error
    assert "data_loaders/read.sql:3:16" in record.error


def test_an_error_in_one_of_several_statements_names_the_statement(tmp_path, database):
    blocks = [sql_block("read", "data_loader", use_raw_sql=True)]
    record = run(tmp_path, blocks, {"read": "SELECT 1;\n\nSELECT *\nFORM t;\nSELECT 3"})
    assert 'syntax error at or near "FORM"' in record.error
    assert "data_loaders/read.sql:4:1 (statement 2 of 3)" in record.error
    assert "  4 | FORM t;\n    | ^" in record.error


def test_a_failing_replace_leaves_the_table_as_it_was(tmp_path, database):
    database.run("CREATE TABLE $.t AS SELECT 7 AS n")
    settings = {"schema": database.schema, "data_provider_table": "t", "export_write_policy": "replace"}
    record = run(
        tmp_path,
        [sql_block("bad", "data_exporter", **settings)],
        {"bad": "SELECT 1 / (n - 7) AS n FROM {{ schema }}.t"},
        {"schema": database.schema},
    )
    assert "division by zero" in record.error
    assert database.rows("SELECT * FROM $.t") == [(7,)]


def test_a_table_may_be_replaced_by_a_query_on_itself(tmp_path, database):
    database.run("CREATE TABLE $.t AS SELECT 7 AS n")
    settings = {"schema": database.schema, "data_provider_table": "t", "export_write_policy": "replace"}
    code = f"SELECT n + 1 AS n FROM {database.schema}.t"
    assert run(tmp_path, [sql_block("more", "data_exporter", **settings)], {"more": code}).error is None
    assert database.rows("SELECT * FROM $.t") == [(8,)]


def test_values_of_the_environment_are_not_shown(tmp_path, database, monkeypatch):
    monkeypatch.setenv("API_KEY", "s3cret")
    blocks = [sql_block("read", "data_loader", use_raw_sql=True)]
    record = run(tmp_path, blocks, {"read": "SELECT '{{ env_var(\"API_KEY\") }}'::int"})
    assert "invalid input syntax" in record.error
    assert "s3cret" not in record.error


def test_a_block_reads_what_an_exporter_before_it_has_written(tmp_path, database):
    blocks = [
        sql_block("read", "data_loader", use_raw_sql=True),
        sql_block("write", "data_exporter", schema=database.schema, data_provider_table="t"),
    ]
    code = {"write": "SELECT 1 AS n", "read": f"SELECT * FROM {database.schema}.t"}
    assert "does not exist" in run(tmp_path, blocks, code).error
    assert run(tmp_path, blocks[::-1], code).error is None


def test_names_longer_than_postgres_keeps_are_cut_as_postgres_cuts_them(tmp_path, database):
    long = "a" * 40 + "_block"
    blocks = [sql_block(long, "data_loader", schema=database.schema)] * 1
    for _ in range(2):
        assert run(tmp_path, blocks, {long: "SELECT 1 AS n"}, pipeline="p").error is None
    assert database.tables() == [f"dev_p_{long}_v1"[:63]]


def test_two_blocks_whose_tables_get_the_same_name_are_an_error(tmp_path, database):
    blocks = [sql_block("a" * 60 + end, "data_loader", schema=database.schema) for end in ("1", "2")]
    record = run(tmp_path, blocks, {entry["uuid"]: "SELECT 1 AS n" for entry in blocks})
    assert "would both be called" in record.error


def test_an_upstream_frame_without_rows_is_a_table_without_rows(tmp_path, database):
    blocks = [block("numbers", "data_loader"), sql_block("all", "transformer", "numbers", schema=database.schema)]
    none = NUMBERS.replace("})", "}).head(0)")
    assert run(tmp_path, blocks, {"numbers": none, "all": "SELECT count(*) AS n FROM {{ df_1 }}"}).error is None
    assert database.rows("SELECT * FROM $.dev_p_all_v1") == [(0,)]


def test_an_upstream_block_that_gives_nothing_is_an_error(tmp_path, database):
    blocks = [block("numbers", "data_loader"), sql_block("all", "transformer", "numbers", schema=database.schema)]
    record = run(tmp_path, blocks, {"numbers": "@data_loader\ndef f():\n    pass\n", "all": "SELECT * FROM {{ df_1 }}"})
    assert "'numbers' gave nothing, so there is no table for {{ df_1 }}" in record.error


def test_a_query_alone_is_a_file_of_one_statement_and_comments(tmp_path, database, seen):
    blocks = [sql_block("read", "data_loader", use_raw_sql=True), block("look", "data_exporter", "read")]
    code = "/* first; */ SELECT 10 % 3 AS n, '100%' AS share -- last;\n;\n-- end\n"
    assert run(tmp_path, blocks, {"read": code, "look": LOOK}, {"seen": seen}).error is None
    assert seen[0].to_dict("list") == {"n": [1], "share": ["100%"]}


STREAM = """
import pandas as pd

@data_loader
def load(*args, **kwargs):
    frames = (pd.DataFrame({'n': range(start, start + 10)}) for start in (0, 10, 20))
    return frames if kwargs.get('stream') else pd.concat(frames)

@test
def enough(frames, *args, stream=False):
    assert sum(len(frame) for frame in (frames if stream else [frames])) == kwargs_wanted
"""


def test_a_stream_goes_batch_by_batch_to_the_table_of_the_sql_blocks_that_read_it(tmp_path, database):
    blocks = [
        block("numbers", "data_loader", configuration={"stream": True}),
        sql_block("total", "transformer", "numbers", schema=database.schema),
        sql_block("most", "transformer", "numbers", "total", schema=database.schema),
    ]
    code = {
        "numbers": STREAM.replace("kwargs_wanted", "30"),
        "total": "SELECT sum(n) AS total FROM {{ df_1 }}",
        "most": "SELECT max(n) + max(total) AS most FROM {{ df_1 }}, {{ df_2 }}",
    }
    record = run(tmp_path, blocks, code)
    assert record.error is None
    assert database.rows("SELECT count(*) FROM $.dev_p_numbers_v1") == [(30,)]
    assert database.rows("SELECT * FROM $.dev_p_most_v1") == [(435 + 29,)]
    assert [each.rows_in for each in record.blocks] == [None, 30, 31]


def test_a_stream_whose_test_fails_leaves_no_table(tmp_path, database):
    blocks = [
        block("numbers", "data_loader", configuration={"stream": True}),
        sql_block("total", "transformer", "numbers", schema=database.schema),
    ]
    code = {"numbers": STREAM.replace("kwargs_wanted", "31"), "total": "SELECT sum(n) AS total FROM {{ df_1 }}"}
    assert run(tmp_path, blocks, code).exit_code == 3
    assert database.tables() == []


def test_a_stream_read_by_sql_and_by_python_is_there_for_both(tmp_path, database, seen):
    blocks = [
        block("numbers", "data_loader", configuration={"stream": True}),
        sql_block("total", "transformer", "numbers", schema=database.schema),
        block("look", "data_exporter", "numbers"),
    ]
    code = {"numbers": STREAM.replace("kwargs_wanted", "30"), "total": "SELECT * FROM {{ df_1 }}", "look": LOOK}
    assert run(tmp_path, blocks, code, {"seen": seen}).error is None
    assert len(seen[0]) == 30
    assert database.rows("SELECT count(*) FROM $.dev_p_total_v1") == [(30,)]

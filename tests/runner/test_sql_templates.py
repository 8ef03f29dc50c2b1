"""The Jinja of SQL blocks: what it may ask for, and what it says when something is missing."""

from __future__ import annotations

import pytest

from mage_project.cli.inspection import problems_of
from mage_project.errors import ConfigError
from mage_project.runner.sql.templating import Template, in_place_of_a_table
from tests.projects import block
from tests.runner.sql_projects import run, sql_block, write_sql_project

RECORDS = "@data_loader\ndef load():\n    return [{'k': 5}, {'k': 6}]\n"


def render(text, tmp_path, **given):
    return Template(path=tmp_path / "block.sql", **{"variables": {}, **given}).render(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ month }}", "2024-01"),
        ("{{ variables('month') }}", "2024-01"),
        ("{{ variables('month', 'lambda value: value[:4]') }}", "2024"),
        ("{{ variables('nothing') or 'x' }}", "x"),
        ("{{ block_output('up') }}", "[1, 2]"),
        ("{{ block_output('up')[0] }}", "1"),
        ("{{ block_output('up', parse=lambda data, _vars: data[1]) }}", "2"),
        ("{{ block_output(\n'up',\nparse=lambda data, v: v['month'] + str(data[0])) }}", "2024-011"),
        ("{{ env_var('WORD') }}{{ env_var('NOT_SET', 'b') }}", "ab"),
        ("{{ json_value('{\"a\": {\"b\": 1}}', 'a.b') }}", "1"),
        ("{{ datetime.datetime(2024, 1, 2).year }}", "2024"),
        ("{% raw %}{{ no }}{% endraw %}{# comment #}", "{{ no }}"),
        ("{% set word = 'x' %}{% set other %}x{% endset %}{% if word == other %}same{% endif %}", "same"),
        ("{% for n in [1, 2] %}{{ n }},{% endfor %}", "1,2,"),
        ("a\r\nb\n", "a\nb\n"),
    ],
)
def test_a_template_is_rendered(tmp_path, monkeypatch, text, expected):
    monkeypatch.setenv("WORD", "a")
    path = tmp_path / "block.sql"
    path.write_text(text, newline="")
    template = Template(path=path, variables={"month": "2024-01"}, output=lambda uuid: [1, 2])
    assert template.render().text == expected


@pytest.mark.parametrize(
    ("text", "told", "line"),
    [
        ("SELECT\n{{ mnoth }}", "'mnoth' is undefined. Did you mean 'month'?", 2),
        ("\n\n{% if %}", "Expected an expression", 3),
        ("{{ env_var('NOT_SET') }}", "the environment variable NOT_SET is not set", 1),
        ("{{ mage_secret_var('key') }}", "set the environment variable KEY", 1),
        ("{{ df_2 }}", "'df_2' is undefined", 1),
        ("{{ month.__class__ }}", "unsafe", 1),
    ],
)
def test_what_is_missing_is_named_with_its_line(tmp_path, text, told, line):
    with pytest.raises(ConfigError) as caught:
        render(text, tmp_path, variables={"month": "2024-01"}, tables={"df_1": "t"})
    assert told in str(caught.value)
    assert caught.value.where == f"{tmp_path}/block.sql:{line}"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'here'",
        "{{ word }} and {% if true %}\n{{ word }}{% endif %} here",
        "{%- if true -%}   here {%- endif %}",
        "{% for n in [1, 2] %}{{ n }} {% endfor %}\nhere {{ word }}",
        "{% raw %}{{ x }} here{% endraw %}",
    ],
)
def test_a_place_in_the_sql_is_found_again_in_the_file(tmp_path, text):
    rendered = render(text, tmp_path, variables={"word": "a longer word than its expression"})
    assert rendered.origin(rendered.text.rindex("here")) == text.rindex("here")


def test_a_place_in_a_value_is_that_of_its_expression(tmp_path):
    rendered = render("SELECT {{ word }}, 2", tmp_path, variables={"word": "one two three"})
    assert rendered.origin(rendered.text.index("three")) == len("SELECT ")


@pytest.mark.parametrize(
    ("after", "is_named"),
    [("", False), (" AS x", True), (' "x"', True), (" x", True), (" WHERE x", False), (";", False)],
)
def test_a_query_in_the_place_of_a_table_gets_a_name_where_it_has_none(tmp_path, after, is_named):
    table = in_place_of_a_table("SELECT 1", "up")
    text = render("FROM {{ df_1 }}" + after, tmp_path, tables={"df_1": table}).text
    assert text == "FROM (\nSELECT 1\n)" + ("" if is_named else " AS up") + after


def test_nothing_runs_when_a_template_of_the_pipeline_fails(tmp_path):
    blocks = [block("first", "data_loader"), sql_block("second", "data_exporter", "first")]
    record = run(tmp_path, blocks, {"first": RECORDS, "second": "SELECT {{ nope }} FROM {{ df_1 }}"})
    assert "'nope' is undefined" in record.error
    assert record.exit_code == 2
    assert [each.status for each in record.blocks] == ["pending", "failed"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"data_provider": "postgers"}, "Did you mean 'postgres'?"),
        ({"data_provider": "snowflake"}, "wants the store 'snowflake', which is not here"),
        ({"export_write_policy": "apend"}, "Did you mean 'append'?"),
        ({"limit_in_pipeline_run": "many"}, "is no number"),
    ],
)
def test_settings_that_cannot_be_are_an_error_before_the_run(tmp_path, settings, told):
    record = run(tmp_path, [sql_block("one", "data_loader", **settings)], {"one": "SELECT 1"})
    assert told in record.error
    assert "pipelines/p/metadata.yaml" in record.error


@pytest.mark.parametrize(
    ("settings", "guess"), [({}, ""), ({"data_provder": "postgres"}, "Did you mean 'data_provider'?")]
)
def test_a_block_that_names_no_store_is_passed_over_with_a_word(tmp_path, settings, guess):
    record = run(tmp_path, [sql_block("one", "data_loader", data_provider=None, **settings)], {"one": "SELECT 1"})
    assert (record.error, record.blocks[0].status) == (None, "skipped")
    assert "names no store (data_provider), so nothing is run, as in Mage" in record.warnings[0]
    assert guess in record.warnings[0]


@pytest.mark.parametrize(("code", "told"), [("-- nothing\n", "has no statement"), ("SELECT 'open", "does not end")])
def test_a_file_without_a_whole_statement_is_an_error_before_the_run(tmp_path, code, told):
    record = run(tmp_path, [sql_block("one", "data_loader")], {"one": code})
    assert told in record.error
    assert record.blocks[0].status == "failed"


def test_check_tells_what_a_run_would(tmp_path):
    blocks = [
        sql_block("one", "data_loader"),
        sql_block("two", "data_loader"),
        sql_block("three", "data_loader", "two"),
    ]
    code = {"one": "SELECT\n{{ month }}", "two": "SELECT {% if", "three": "SELECT * FROM {{ df_1 }}"}
    project = write_sql_project(tmp_path, blocks, code)
    found = {problem.place(project.root): problem for problem in problems_of(project, "p")}
    assert found.keys() == {"data_loaders/one.sql:2", "data_loaders/two.sql:1"}
    assert found["data_loaders/one.sql:2"].warning  # it may be given to the run
    assert not found["data_loaders/two.sql:1"].warning


def test_leftover_keys_do_not_make_sql_of_a_python_block(tmp_path):
    leftover = {"data_provider": "postgres", "use_raw_sql": True, "export_write_policy": "append"}
    assert run(tmp_path, [block("a", "data_loader", configuration=leftover)], {"a": RECORDS}).error is None


def test_a_part_of_an_upstream_output_is_taken_by_a_function(tmp_path, postgres_env):
    blocks = [block("numbers", "data_loader"), sql_block("out", "transformer", "numbers", use_raw_sql=True)]
    code = "SELECT {{ block_output('numbers', parse=lambda data, variables: data[1]['k']) }} AS k"
    record = run(tmp_path, blocks, {"numbers": RECORDS, "out": code})
    assert record.error is None
    assert record.blocks[1].rows_out == 1


def test_a_name_that_is_nearly_one_that_there_is_gets_one_next_step(tmp_path):
    with pytest.raises(
        ConfigError, match=r"Did you mean 'month'\?\n.*\n  next:  write month; if monht is meant, give it"
    ):
        render("SELECT {{ monht }}", tmp_path, variables={"month": 1})


def test_a_secret_of_mage_s_is_the_environment_variable_of_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("API_KEY", "open-sesame")
    rendered = render("SELECT '{{ mage_secret_var('api-key') }}'", tmp_path)
    assert rendered.text == "SELECT 'open-sesame'"
    assert rendered.hidden("at open-sesame") == "at ***"


@pytest.mark.parametrize(
    ("configuration", "code", "place", "told"),
    [
        ({"data_provider_profile": "dukc"}, "SELECT 1", "pipelines/p/metadata.yaml:16", "Did you mean 'duck'?"),
        ({}, "SELECT\n{{ block_output('numbesr') }}", "data_loaders/q.sql:2", "Did you mean 'numbers'?"),
        (
            {},
            "SELECT {{ block_output('x', parse=lambda d, v: d) }}",
            "data_loaders/q.sql:1",
            "next:  upstream_blocks: nu",
        ),
        ({}, "-- first\nINSERT INTO t VALUES (1)", "data_loaders/q.sql:2", "set `use_raw_sql: true`"),
    ],
    ids=["profile", "output", "output with a function", "no query"],
)
def test_what_cannot_be_is_told_with_its_line_before_anything_runs(tmp_path, configuration, code, place, told):
    blocks = [block("numbers", "data_loader"), sql_block("q", "data_loader", "numbers", **configuration)]
    record = run(tmp_path, blocks, {"numbers": RECORDS, "q": code})
    assert told in record.error
    assert f"where: {place}\n" in record.error
    assert {each.uuid: each.status for each in record.blocks} == {"numbers": "pending", "q": "failed"}


def test_check_warns_of_statements_whose_rows_go_nowhere(tmp_path):
    project = write_sql_project(tmp_path, [sql_block("q", "data_loader")], {"q": "SELECT 1 AS a; SELECT 2 AS b"})
    (problem,) = problems_of(project, "p")
    assert (problem.warning, "only the rows of the first of 2 statements" in problem.message) == (True, True)

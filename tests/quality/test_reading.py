"""Rules from YAML: each word, the shapes of dbt and Bruin, and every mistake with its line."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mage_project.project.document import parse
from mage_project.quality.reading import read_rules


def read(text):
    rules, flaws = read_rules(parse(text, Path("rules.yaml")))
    return rules, flaws


def rule(text):
    (found,), flaws = read(text)
    assert flaws == []
    return found


def test_several_columns_that_are_not_null_are_a_rule_each_and_together_unique_they_are_one():
    rules, flaws = read("- not_null: [a, b]\n- unique: [a, b]")
    assert ([each.name for each in rules], flaws) == (["not_null(a)", "not_null(b)", "unique(a, b)"], [])


def test_a_rule_is_called_the_same_in_every_run():
    names = [
        each.name for each in read("- min: {column: a, value: 0}\n  where: b = 1\n- min: {column: a, value: 1}")[0]
    ]
    assert names == ["min(a) where b = 1", "min(a)"]


def test_what_is_given_beside_a_rule_is_taken():
    found = rule("- freshness: {column: t, max_age: 40 days}\n  severity: warn\n  name: new enough\n  where: a > 1")
    assert (found.severity, found.name, found.where) == ("warn", "new enough", "a > 1")
    assert found.max_age == timedelta(days=40)


@pytest.mark.parametrize(
    "check",
    [
        "{accepted_values: {values: [1, 2]}}",
        "{accepted_values: {arguments: {values: [1, 2]}}}",
        "{name: accepted_values, value: [1, 2]}",
    ],
    ids=["dbt", "dbt with arguments", "bruin"],
)
@pytest.mark.parametrize("key", ["checks", "tests", "data_tests"])
def test_rules_of_columns_are_read_as_dbt_and_bruin_write_them(key, check):
    found = rule(f"columns:\n- name: a\n  {key}: [{check}]")
    assert (found.name, found.values) == ("accepted_values(a)", (1, 2))


def test_one_bound_may_be_quoted_and_the_other_not():
    found = rule("- between: {column: a, min: 2024-01-01, max: '2024-01-31 23:59:59'}")
    assert (found.minimum, found.maximum) == (datetime(2024, 1, 1), datetime(2024, 1, 31, 23, 59, 59))


def test_dbts_config_and_bruins_blocking_say_that_it_only_warns():
    rules, _ = read(
        "columns:\n- name: a\n  checks: [{not_null: {config: {severity: warn}}}, {name: positive, blocking: false}]"
    )
    assert [(each.name, each.severity) for each in rules] == [("not_null(a)", "warn"), ("positive(a)", "warn")]


MISTAKES = {
    "- not_nul: a": "unknown key 'not_nul' of a check. Did you mean 'not_null'?",
    "- between: {column: a, mn: 3}": "between: unknown key 'mn'. Did you mean 'min'?",
    "- between: {column: a, min: 5, max: 3}": "between: 'min' is above 'max': 5 and 3",
    "- min: {column: a}": "min: needs 'value'",
    "- not_null: a\n  severity: wran": "unknown severity 'wran'. Did you mean 'warn'?",
    "- not_null": "the check 'not_null' says nothing of what it is about",
    "- accepted_values: {column: a, values: [1, x]}": (
        "accepted_values: 'values' has number and text: quote them all, or none"
    ),
    "- freshness: {column: t, max_age: 40 dys}": (
        "freshness: 'max_age' is a time such as 40 days or 12 hours, not '40 dys'"
    ),
    "- null_share: {column: a, max: 5}": "null_share: 'max' is a share from 0 to 1, not 5",
    "- {not_null: a, unique: a}": "one check has two rules: not_null and unique",
    "- columns:\n  - {name: a, checks: [not_nul]}": "unknown check 'not_nul' of column 'a'. Did you mean 'not_null'?",
    "- sum: {column: a, equals: many}": "sum: 'equals' must be a number, not 'many'",
    "- min: {column: a, value: abc}": "min: 'value' is neither a number nor a date: 'abc'",
    "- between: {column: a, min: 2024-01-01, max: 7}": "between: 'min' and 'max' cannot be compared: 2024-01-01 and 7",
    "- between: {column: a, min: '5', max: '7'}": "between: 'min' is neither a number nor a date: '5'",
    "- row_count: {min: -1}": "row_count: counts whole rows, not -1",
    "- row_count: -1": "row_count: counts whole rows, not -1",
    "[{}]": "a check has no rule",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_and_its_rule_left_out(text):
    rules, flaws = read(text)
    assert ([flaw.message for flaw in flaws], rules) == ([MISTAKES[text]], [])


def test_a_mistake_is_told_with_its_line():
    _, flaws = read("- not_null: a\n- between:\n    column: a\n    min: 3\n    maks: 4\n")
    assert [flaw.line for flaw in flaws] == [5]


NOT_OF_A_ROW = {
    "sum(d) > 1": "'sum' is not of one row",
    "id > 1 and count(*) = count(distinct id)": "'count' is not of one row",
    "row_number() over () > 1": "it has a window function",
    "d > (select 1)": "it has a query of its own",
    "columns(*) > 1": "it names all columns at once",
    "d > $1": "it has a parameter, and nothing is given for one",
    "true; drop table x": "it is more than one statement",
    "a, b": "it is more than one expression",
    "1=1) or (1=1": 'Parser Error: syntax error at or near ")"',
    "true limit 1": 'Parser Error: syntax error at or near "limit"',
}


@pytest.mark.parametrize("sql", NOT_OF_A_ROW)
@pytest.mark.parametrize("rule", ["- expression: '{}'", "- not_null: a\n  where: '{}'"])
def test_sql_that_is_no_condition_on_a_row_is_told(rule, sql):
    rules, (flaw,) = read(rule.format(sql))
    assert rules == []
    assert flaw.message.endswith(f"'{sql}' is no condition on a row: {NOT_OF_A_ROW[sql]}")


def test_what_duckdb_can_say_of_a_row_may_be_said():
    sql = ["list_sum([a, b]) > 1 -- both", "t - u < interval 1 day", "a in (1, 2) or s.x > 1", "s similar to '[a-z]'"]
    assert read("\n".join(f'- expression: "{each}"' for each in sql))[1] == []

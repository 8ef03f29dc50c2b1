"""What each rule says of rows that come in batches."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mage_project.errors import ConfigError
from mage_project.quality import comparisons, uniqueness
from mage_project.quality.engine import Checks
from mage_project.quality.reading import read_rules
from mage_project.quality.row_checks import PIECES, RowCheck
from mage_project.quality.rows import Rows

NOW = datetime(2020, 11, 1, tzinfo=UTC)
ZONES = pa.array([1, 2, 3, 7])


def results(text, *batches):
    rules, flaws = read_rules(yaml.safe_load(text))
    assert flaws == []
    checks = Checks(rules, reference=lambda rule: ZONES, now=NOW)
    try:
        for batch in batches:
            checks.take(batch if hasattr(batch, "iloc") else pa.table(batch))
        return checks.results()
    finally:
        checks.close()


def result(text, *batches):
    (found,) = results(text, *batches)
    return found


def failing(text, *batches):
    found = result(text, *batches)
    assert found.passed == (not found.failing)
    return found.failing


A = {"a": [1, 2, None, 9]}
TIMES = [datetime(2020, 10, 1), datetime(2020, 10, 31, 12), None]
ROW_RULES = {
    "not_null: a": (A, 1),
    "accepted_values: {column: a, values: [1, 2]}": (A, 1),
    "accepted_values: {column: a, values: [1, 9]}": (A, 1),
    "relationships: {column: a, to: zones.csv, field: id}": (A, 1),
    "min: {column: a, value: 1.5}": (A, 1),
    "max: {column: a, value: 2}": (A, 1),
    "between: {column: a, min: 2, max: 8}": (A, 2),
    "unique: a": ({"a": [1, 2, 1, None, None]}, 2),
    "unique: [a, b]": ({"a": [1, 1, 1, None, None], "b": ["x", "y", "x", "x", "x"]}, 2),
    "expression: a < 5": (A, 1),
    "expression: b >= a -- a comment": ({"a": [1, 2], "b": [2, 1]}, 1),
    "accepted_values: {column: f, values: ['Y', 'N']}": ({"f": ["Y", "N", "", None]}, 1),
    "min: {column: t, value: 2020-10-02}": ({"t": TIMES}, 1),
    "between: {column: t, min: '2020-10-01', max: '2020-10-31'}": ({"t": TIMES}, 1),
    "min: {column: d, value: 1.5}": ({"d": [Decimal("1.50"), Decimal("1.49")]}, 1),
    "unique: t": ({"t": [*TIMES, TIMES[0]]}, 2),
    "unique: x": ({"x": [0.0, -0.0, 1.0]}, 2),
    "unique: f": ({"f": ["Y", "N", "Y", None]}, 2),
}


@pytest.mark.parametrize("text", ROW_RULES)
def test_rows_that_break_a_rule_are_counted(text):
    columns, expected = ROW_RULES[text]
    assert failing(f"- {text}", columns) == expected


@pytest.mark.parametrize("text", ROW_RULES)
def test_it_is_the_same_row_by_row_with_the_types_of_the_whole_and_in_pandas(text):
    columns, expected = ROW_RULES[text]
    whole = pa.table(columns)
    assert failing(f"- {text}", *(whole.slice(place, 1) for place in range(len(whole)))) == expected
    assert failing(f"- {text}", whole.to_pandas(types_mapper=pd.ArrowDtype)) == expected
    assert failing(f"- {text}", whole.to_pandas()) == expected


@pytest.mark.parametrize(
    "text",
    [
        "min: {column: x, value: 0}",
        "max: {column: x, value: 5}",
        "unique: x",
        "expression: x < 5",
        "accepted_values: {column: x, values: [1]}",
    ],
)
def test_nan_is_null_and_null_breaks_nothing(text):
    assert failing(f"- {text}", {"x": [math.nan, None, math.nan, 1.0]}) == 0


@pytest.mark.parametrize("text", ["not_null: x", "null_share: {column: x, max: 0.4}"])
def test_nan_is_null_where_nulls_are_asked_for(text):
    found = result(f"- {text}", {"x": [math.nan, None, 1.0, 2.0]})
    assert (found.passed, found.failing, found.share) == (False, 2, 0.5)


def test_where_selects_the_rows_that_a_rule_is_about():
    batch = {"a": [1, 1, None, 5], "b": [1, 2, 1, None]}
    text = "- {not_null: a, where: b = 1}\n- {unique: a, where: b = 1}\n- {row_count: 2, where: b = 1}"
    assert [(found.rows, found.failing, found.passed) for found in results(text, batch)] == [
        (2, 1, False),
        (2, 0, True),
        (2, None, True),
    ]


WHOLE_RULES = {
    "row_count: 4": (True, 4),
    "row_count: {min: 5}": (False, 4),
    "sum: {column: x, equals: 0.6}": (True, 0.6),
    "sum: {column: x, equals: 0.7}": (False, 0.6),
    "sum: {column: n, min: 3, max: 6}": (True, 6),
    "sum: {column: d, equals: 0.30}": (True, Decimal("0.30")),
    "null_share: {column: n, max: 0.25}": (True, 0.25),
    "freshness: {column: t, max_age: 1 day}": (True, datetime(2020, 10, 31)),
    "freshness: {column: t, max_age: 12 hours}": (False, datetime(2020, 10, 31)),
}


@pytest.mark.parametrize("text", WHOLE_RULES)
def test_figures_of_all_rows_are_added_up_over_batches(text):
    whole = pa.table(
        {
            "x": [0.1, 0.2, 0.3, None],
            "n": [1, 2, 3, None],
            "d": [Decimal("0.10"), Decimal("0.20"), None, None],
            "t": [date(2020, 10, 1), None, date(2020, 10, 31), date(2020, 9, 30)],
        }
    )
    found = result(f"- {text}", whole.slice(0, 2), whole.slice(2))
    assert (found.passed, pytest.approx(found.value) if isinstance(found.value, float) else found.value) == (
        WHOLE_RULES[text]
    )


WIDE = {
    "int64": (pa.array([2**62] * 10), 10 * 2**62),
    "int64 below zero": (pa.array([-(2**63), -(2**63), None]), -(2**64)),
    "uint64": (pa.array([2**64 - 1] * 3, pa.uint64()), 3 * (2**64 - 1)),
    "decimal128": (pa.array([Decimal(9 * 10**37 + 1)] * 20, pa.decimal128(38)), Decimal(20 * (9 * 10**37 + 1))),
    "decimal256": (pa.array([Decimal(10**75)] * 200, pa.decimal256(76)), Decimal(200 * 10**75)),
    "double": (pa.array([1e16, 0.01, -1e16] * 1001), 10.01),
    "a double too large": (pa.array([1.7e308] * 200), math.inf),
}


@pytest.mark.parametrize("kind", WIDE)
def test_a_sum_neither_wraps_round_nor_loses_cents(kind):
    column, expected = WIDE[kind]
    whole = pa.table({"a": column})
    for batches in ([whole], [whole.slice(0, 1), whole.slice(1)]):
        found = result("- sum: {column: a, min: 0}", *batches).value
        assert found == (pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected)


def test_of_no_rows_at_all_only_what_wants_some_fails():
    text = "- not_null: a\n- unique: a\n- row_count: {min: 1}\n- freshness: {column: a, max_age: 1 day}"
    text += "\n- null_share: {column: a, max: 0}\n- expression: a > 1\n- sum: {column: a, max: 0}"
    assert [found.passed for found in results(text)] == [True, True, False, False, True, True, True]
    empty = {"a": pa.array([], pa.date32())}
    assert [found.passed for found in results("- not_null: a\n- unique: a\n- row_count: 1", empty)] == [
        True,
        True,
        False,
    ]


def test_a_result_shows_the_first_five_rows_with_the_rules_columns_first():
    found = result("- max: {column: b, value: 0}", {"a": [1] * 3, "b": [1, 0, 2]}, {"a": [2] * 9, "b": [3] * 9})
    assert found.examples[:2] == ({"b": 1, "a": 1}, {"b": 2, "a": 1})
    assert (len(found.examples), found.failing, found.message) == (
        5,
        11,
        "11 of 12 rows (91.67 %) are above 0",
    )


def test_repeated_keys_are_shown_with_how_often_they_occur():
    assert result("- unique: a", {"a": [5, 5, 6, 5]}).examples == ({"a": 5, "rows": 3},)


def test_a_result_is_plain_json():
    found = result("- max: {column: t, value: 2020-10-01}", {"t": TIMES, "x": [math.inf] * 3}).as_dict()
    assert found["examples"] == [{"t": "2020-10-31T12:00:00", "x": "inf"}]


WRONG = {
    "- not_null: fares": "'fares', which is not there. Did you mean 'fare'?",
    "- expression: fares > 1": "'fares', which is not there. Did you mean 'fare'?",
    "- {not_null: fare, where: 'no_such(fare)'}": "cannot be answered",
    "- expression: geomean(fare) > 1": "cannot be answered: .* cannot contain aggregates",
    "- accepted_values: {column: fare, values: ['1']}": "holds double, which cannot be compared with string",
    "- sum: {column: flag, min: 1}": "holds string",
    "- freshness: {column: fare, max_age: 1 day}": "holds double",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_rule_that_does_not_fit_the_columns_is_an_error_that_says_so(text):
    with pytest.raises(ConfigError, match=WRONG[text].replace("?", r"\?")):
        results(text, {"fare": [1.0], "flag": ["Y"]})


KEYS = st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=60)


@settings(deadline=None)
@given(KEYS, st.integers(1, 9), st.booleans())
def test_unique_counts_every_row_of_a_repeated_key_whatever_the_parts(monkeypatch_parts, values, size, as_text):
    given_values = [None if value is None or not as_text else f"key {value}" for value in values] if as_text else values
    batches = [{"a": pa.array(given_values[at : at + size])} for at in range(0, len(values), size)]
    there = [value for value in values if value is not None]
    assert failing("- unique: a", *batches) == sum(there.count(value) > 1 for value in there)


@pytest.fixture(scope="module")
def monkeypatch_parts():
    """Parts so small that a test has several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uniqueness, "_PART_ROWS", 4)
        patch.setattr(uniqueness, "_BLOCK_ROWS", 8)
        yield


def test_rows_that_break_a_rule_one_by_one_are_kept_in_few_tables():
    """A table for each of them would take more memory the longer a stream is."""
    (rule,), _ = read_rules([{"max": {"column": "n", "value": 0}}])
    check = RowCheck(rule, keep=150, reference=lambda rule: ZONES)
    for n in range(200):
        check.take(Rows(pa.table({"n": [n, -1], "t": ["a", None]})))
    kept = check.offending()
    assert kept.column("n").to_pylist() == list(range(1, 151))
    assert kept.column("n").num_chunks <= PIECES + 1


NUMBERS = st.lists(st.tuples(*[st.one_of(st.none(), st.integers(-2, 2), st.just(0.5))] * 2), min_size=1, max_size=9)
SIDES = ["a", "B", '"a"', "1", "-0.5", "0.5"]
COMPARED = st.builds(
    "{} {} {}".format, st.sampled_from(SIDES[:3]), st.sampled_from(["<", "<=", "=", "<>"]), st.sampled_from(SIDES)
)


@settings(deadline=None, max_examples=40)
@given(NUMBERS, st.lists(COMPARED, min_size=1, max_size=3))
def test_comparisons_by_kernels_and_by_duckdb_are_the_same(numbers, parts):
    batch = {"a": [one for one, _ in numbers], "b": [other for _, other in numbers]}
    batch = {name: pa.array(column, pa.float64()) for name, column in batch.items()}
    sql = " and ".join(parts)
    assert comparisons.mask(sql, Rows(pa.table(batch)), negate=True) is not None
    assert failing(f"- expression: '{sql}'", batch) == failing(f"- expression: '({sql})'", batch)
    assert result(f"- {{row_count: 0, where: '{sql}'}}", batch).rows == (
        result(f"- {{row_count: 0, where: '({sql})'}}", batch).rows
    )


@pytest.mark.parametrize(
    "sql",
    [
        "t < '2020-10-02'",
        "t >= '2020-10-31 12:00:00' and t = t",
        "f <> 'Y'",
        "t <= u + INTERVAL 12 HOUR",
        "t < u + interval 1 days and t > u+INTERVAL 90 minutes",
        "f SIMILAR TO 'Y'",
        "f similar to '[A-Y0-9]{1}' AND t = t",
    ],
)
def test_times_and_text_are_compared_as_duckdb_does(sql):
    batch = {"t": [*TIMES, None], "u": [None, *reversed(TIMES)], "f": ["Y", "N\n", "YY", None]}
    assert comparisons.mask(sql, Rows(pa.table(batch)), negate=False) is not None
    quoted = sql.replace("'", "''")
    assert failing(f"- expression: '{quoted}'", batch) == failing(f"- expression: '({quoted})'", batch)

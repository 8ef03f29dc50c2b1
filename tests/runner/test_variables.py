"""Variables as they are typed on the command line."""

from __future__ import annotations

import pytest

from mage_project.errors import UsageError
from mage_project.runner.variables import parse_assignments


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("5", 5),
        ("green", "green"),
        ("[2020-10, 2020-11]", ["2020-10", "2020-11"]),
        ('{"deep": {"x": 1}}', {"deep": {"x": 1}}),
        ("{x: 1}", {"x": 1}),
        ("null", None),
        ("2020-10-01", "2020-10-01"),
        ("note: not a mapping", "note: not a mapping"),
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("*", "*"),
        ("'[1'", "[1"),
        ("{{ env_var('X') }}", "{{ env_var('X') }}"),
        ("", None),
    ],
)
def test_a_typed_value_is_what_it_looks_like(typed, value):
    assert parse_assignments([f"name={typed}"]) == {"name": value}


@pytest.mark.parametrize("typed", ["[1", "{broken", " [2020-10, 2020-11"])
def test_a_list_that_does_not_end_is_not_taken_for_a_text(typed):
    with pytest.raises(UsageError, match="the value of 'months' begins as a list"):
        parse_assignments([f"months={typed}"])


@pytest.mark.parametrize("typed", ["2026-02-30", "2026-11-30 10:00:00+99:00", "!!bool x", "9" * 5000, "[" * 3000])
def test_a_value_that_cannot_be_built_is_named(typed):
    with pytest.raises(UsageError, match="the value of 'day' is read as YAML, and cannot be built"):
        parse_assignments([f"day={typed}"])

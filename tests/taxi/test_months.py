"""What can be asked for."""

from __future__ import annotations

import pytest

from taxi.months import asked_months


def test_months_are_a_list_or_one_text() -> None:
    assert asked_months("green", ["2020-10", "2020-11"]) == asked_months("green", "2020-10, 2020-11")
    assert [str(month) for month in asked_months("yellow", "2019-01")] == ["yellow 2019-01"]


@pytest.mark.parametrize("month", ["2020-13", "2020-1", "202010", "20-10", "../2020-10", "2020-10'", "2020-10\n20"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(ValueError, match="is no month: write year and month as YYYY-MM"):
        asked_months("green", [month])


def test_a_month_is_asked_for_once() -> None:
    with pytest.raises(ValueError, match="2020-10 is asked for 2 times"):
        asked_months("green", "2020-10 2020-11 2020-10")


def test_none_is_not_enough() -> None:
    with pytest.raises(ValueError, match="no month is asked for"):
        asked_months("green", [])


def test_an_unknown_service_gets_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"the services are green, yellow, fhv, fhvhv\. Did you mean 'green'\?"):
        asked_months("greens", "2020-10")


def test_a_range_is_all_its_months() -> None:
    assert [month.month for month in asked_months("yellow", ["2019-11..2020-02", "2021-01"])] == [
        *("2019-11", "2019-12", "2020-01", "2020-02"),
        "2021-01",
    ]


@pytest.mark.parametrize(
    ("months", "message"),
    [
        ("2020-02..2019-11", r"the range ends before it begins: write 2019-11\.\.2020-02"),
        ("2020-01..", "'' is no month"),
        ("2020-01..2020-03 2020-02", "2020-02 is asked for 2 times"),
    ],
)
def test_a_range_has_two_ends_and_each_month_once(months: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asked_months("yellow", months)

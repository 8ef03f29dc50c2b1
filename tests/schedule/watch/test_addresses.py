from __future__ import annotations

from datetime import date

import pytest

from mage_project.schedule.watch.addresses import addresses, filled

TODAY = date(2024, 3, 31)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gs://b/x", ["gs://b/x"]),
        ("x_{month}", ["x_2024-03", "x_2024-02", "x_2024-01"]),
        ("{date}", ["2024-03-31", "2024-03-30", "2024-03-29"]),
        ("{year}/x", ["2024/x", "2023/x", "2022/x"]),
        ("{year}/{month:%m}.csv", ["2024/03.csv", "2024/02.csv", "2024/01.csv"]),
        ("{service}_{month:%Y%m}", ["{service}_202403", "{service}_202402", "{service}_202401"]),
    ],
)
def test_an_address_with_a_month_in_it_stands_for_the_last_ones(text: str, found: list[str]) -> None:
    assert [each.text for each in addresses(text, TODAY, 3)] == found


def test_no_address_is_of_a_day_before_the_first_one() -> None:
    assert len(addresses("{year}", TODAY, 99_999)) == 2024
    assert len(addresses("{date}", date(1, 1, 3), 10)) == 3


def test_the_month_of_an_address_is_known() -> None:
    [this, _] = addresses("{month:%y/%m}", TODAY, 2)
    assert (this.text, this.names) == ("24/03", {"month": "2024-03", "year": "2024"})


def test_only_names_that_are_known_are_filled_in() -> None:
    assert filled("{service}_{month}", {"month": "2024-03"}) == "{service}_2024-03"

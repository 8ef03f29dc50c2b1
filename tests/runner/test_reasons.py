"""Figures for each reason: read as blocks give them, and added up without a cent lost."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mage_project.runner.reasons import add, reasons_of

CENTS = st.lists(st.integers(-(10**12), 10**12), max_size=50)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"odd": 3}, {"odd": {"rows": 3}}),
        ({"odd": np.int64(3)}, {"odd": {"rows": 3}}),
        ({"odd": {"rows": 3, "dollars": np.float64(0.5)}}, {"odd": {"rows": 3, "dollars": 0.5}}),
        ({"odd": {"rows": 3, "dollars": Decimal("0.5"), "why": "who knows"}}, {"odd": {"rows": 3, "dollars": 0.5}}),
        ({"odd": {"pairs": 2}}, {"odd": {"rows": 0, "pairs": 2}}),
        ("odd ones", {}),
    ],
    ids=["rows", "numpy's rows", "dollars", "words", "no rows", "no reasons"],
)
def test_reasons_are_read_as_blocks_give_them(given: object, read: object) -> None:
    assert reasons_of(given) == read


@given(CENTS)
def test_sums_of_dollars_are_right_to_the_cent(cents: list[int]) -> None:
    whole = reasons_of({"why": {"rows": 0, "dollars": 0.0}})
    for amount in cents:
        add(whole, {"why": {"rows": 1, "dollars": amount / 100}})
    assert whole == {"why": {"rows": len(cents), "dollars": sum(cents) / 100}}


def test_what_is_no_amount_spoils_the_sum_and_not_the_run() -> None:
    whole = reasons_of({"why": {"rows": 1, "dollars": float("inf")}})
    add(whole, {"why": {"rows": 1, "dollars": float("-inf")}})
    assert whole["why"]["rows"] == 2

"""Why a block dropped or changed rows: figures for each reason, as the block gives them and as a run adds them up."""

from __future__ import annotations

from typing import Any

#: What is counted for one reason: "rows", and whatever else the block adds up (dollars, pairs).
Figures = dict[str, int | float]

Reasons = dict[str, Figures]


def reasons_of(given: Any) -> Reasons:
    """The reasons a block gives, `{reason: rows}` or `{reason: {"rows": rows, ...}}`; what is no number is left out."""
    if not isinstance(given, dict):
        return {}
    return {str(reason): _figures(figures) for reason, figures in given.items()}


def add(so_far: Reasons, more: Reasons) -> None:
    """Add the figures of `more` to those of the same reason and name in `so_far`."""
    for reason, figures in more.items():
        whole = so_far.setdefault(reason, {})
        for name, figure in figures.items():
            whole[name] = _sum(whole.get(name, 0), figure)


def _figures(given: Any) -> Figures:
    from decimal import Decimal  # only for what has reasons: most blocks of a small run drop nothing
    from numbers import Real

    figures = given if isinstance(given, dict) else {"rows": given}
    numbers = {str(name): _number(figure) for name, figure in figures.items() if isinstance(figure, (Real, Decimal))}
    return {"rows": 0, **numbers}


def _number(figure: Any) -> int | float:
    from numbers import Integral

    return int(figure) if isinstance(figure, Integral) else float(figure)


def _sum(one: float, other: float) -> int | float:
    """As on paper: binary fractions would turn 0.1 and 0.2 into 0.30000000000000004, and cents into less than cents."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    import math
    from decimal import Decimal

    if math.isfinite(one) and math.isfinite(other):
        return float(Decimal(str(one)) + Decimal(str(other)))
    return one + other

"""mage_ai.shared.dates: small things about days."""

from __future__ import annotations

from datetime import UTC as _UTC
from datetime import datetime, timedelta

_UNITS = {"d": "days", "h": "hours", "w": "weeks"}


def compare(date1: datetime | None, date2: datetime | None) -> int | None:
    """-1, 0 or 1 for earlier, equal and later; None without one of them."""
    if date1 is None or date2 is None:
        return None
    first, second = date1.astimezone(_UTC), date2.astimezone(_UTC)
    return (first > second) - (first < second)


def n_days_ago(n: int) -> str:
    """The day, as YYYY-MM-DD."""
    return f"{datetime.now() - timedelta(days=n):%Y-%m-%d}"


def str_to_timedelta(period_str: str) -> timedelta:
    """`7d`, `12h` or `2w`. Raises ValueError for another unit."""
    unit = _UNITS.get(period_str[-1:])
    if unit is None:
        raise ValueError(f"'{period_str}' is no period: a number and d, h or w")
    return timedelta(**{unit: int(period_str[:-1])})


def week_of_month(day: datetime) -> int:
    """Which week of its month, 1 to 6; weeks begin on Sunday."""
    first = day.replace(day=1)
    return (day.day + first.isoweekday() % 7 - 1) // 7 + 1

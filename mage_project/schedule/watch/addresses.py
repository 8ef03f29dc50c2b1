"""The addresses that a trigger watches. `{month}` in one stands for each of the last months: one address for each.

`{date}` and `{year}` are the same for days and years, and all three may say how they are written: `{month:%Y/%m}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta

#: How each is written where the address does not say, from the finest one.
_WRITTEN = {"date": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
_PART = re.compile(r"\{(date|month|year)(?::([^{}]+))?\}")


@dataclass(frozen=True, kw_only=True)
class Address:
    """One place to look at; `names` are the month, the date or the year that it is of."""

    text: str
    names: Mapping[str, str] = field(default_factory=dict)


def addresses(text: str, today: date, lookback: int) -> list[Address]:
    """The addresses that `text` stands for: itself, or one for each of the last months (or days, or years)."""
    found = {part for part, _ in _PART.findall(text)}
    unit = next((unit for unit in _WRITTEN if unit in found), None)
    if unit is None:
        return [Address(text=text)]
    return [_of(text, day, unit) for day, _ in zip(_days(today, unit), range(lookback), strict=False)]


def filled(text: str, names: Mapping[str, str]) -> str:
    """The text with the values of `names` in the place of their names: `{month}` becomes 2024-05. Others stay."""
    return re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], match[0]), text)


def _of(text: str, day: date, unit: str) -> Address:
    units = list(_WRITTEN)
    names = {name: f"{day:{_WRITTEN[name]}}" for name in units[units.index(unit) :]}
    return Address(text=_PART.sub(lambda match: f"{day:{match[2] or _WRITTEN[match[1]]}}", text), names=names)


def _days(today: date, unit: str) -> Iterator[date]:
    """Today, or the first day of its month or year, and so on backwards."""
    day = {"date": today, "month": today.replace(day=1), "year": today.replace(month=1, day=1)}[unit]
    with suppress(OverflowError):  # there is no day before the first one
        while True:
            yield day
            before = day - timedelta(days=1)
            day = {"date": before, "month": before.replace(day=1), "year": before.replace(month=1, day=1)}[unit]

"""Which months are asked for, and how their files are named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from taxi.services import service_of

_MONTH = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month of one service, such as green 2020-10."""

    service: str
    month: str

    @property
    def name(self) -> str:
        """The name of its file, without the ending that says the format."""
        return f"{self.service}_tripdata_{self.month}"

    def __str__(self) -> str:
        return f"{self.service} {self.month}"


def asked_months(service: str, months: str | Iterable[str]) -> list[Month]:
    """The months of `service`, in the order given: a list of `YYYY-MM`, or one text with commas between them.

    A word can also be a range, `2019-01..2020-12`, with both ends. Raises ValueError for an unknown service, for
    what is no month, for a month named twice, and for none.
    """
    service_of(service)
    words = months.replace(",", " ").split() if isinstance(months, str) else [str(month) for month in months]
    if not words:
        raise ValueError("no month is asked for: set the variable months, for example ['2020-10', '2020-11']")
    asked = [month for word in words for month in _months_of(word)]
    for month in asked:
        if asked.count(month) > 1:
            raise ValueError(f"{month} is asked for {asked.count(month)} times: name each month once")
    return [Month(service=service, month=month) for month in asked]


def _months_of(word: str) -> Iterator[str]:
    """The month that the word is, or all of the range that it is."""
    first, separator, last = word.partition("..")
    for month in (first, last) if separator else (first,):
        if not _MONTH.fullmatch(month):
            raise ValueError(
                f"{month!r} is no month: write year and month as YYYY-MM, for example 2020-10, or 2019-01..2020-12"
            )
    if separator and last < first:
        raise ValueError(f"{word}: the range ends before it begins: write {last}..{first}")
    for number in range(_number(first), _number(last or first) + 1):
        yield f"{number // 12:04}-{number % 12 + 1:02}"


def _number(month: str) -> int:
    """Months since the year 0."""
    return 12 * int(month[:4]) + int(month[5:]) - 1

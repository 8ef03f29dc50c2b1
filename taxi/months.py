"""Which months are asked for, and how their files are named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from taxi.columns import columns_of

_MONTH = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month of one service, such as green 2020-10."""

    service: str
    month: str

    @property
    def name(self) -> str:
        return f"{self.service}_tripdata_{self.month}.csv.gz"

    def __str__(self) -> str:
        return f"{self.service} {self.month}"


def asked_months(service: str, months: str | Iterable[str]) -> list[Month]:
    """The months of `service`, in the order given: a list of `YYYY-MM`, or one text with commas between them.

    Raises ValueError for an unknown service, for what is no month, for a month named twice, and for none.
    """
    columns_of(service)
    words = months.replace(",", " ").split() if isinstance(months, str) else [str(month) for month in months]
    if not words:
        raise ValueError("no month is asked for: set the variable months, for example ['2020-10', '2020-11']")
    for word in words:
        if not _MONTH.fullmatch(word):
            raise ValueError(f"{word!r} is no month: write year and month as YYYY-MM, for example 2020-10")
        if words.count(word) > 1:
            raise ValueError(f"{word} is asked for {words.count(word)} times: name each month once")
    return [Month(service=service, month=word) for word in words]

"""What is known of data after one pass, in a form that can be kept as JSON and compared with another month's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["number", "text", "boolean", "time", "other"]
Scalar = str | int | float | bool

#: The quantiles that a profile keeps, in per mille.
QUANTILES = (1, 5, *range(10, 1000, 10), 995, 999)
#: Of the form of `as_dict`; one that differs is not read.
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Count:
    """A value and the rows that have it."""

    value: Scalar
    rows: int


@dataclass(frozen=True, kw_only=True)
class Bins:
    """A histogram of the main part: bins of one width from `start`, and the rows below and above them."""

    start: float
    width: float
    rows: tuple[int, ...]
    below: int
    above: int

    @property
    def end(self) -> float:
        return self.start + self.width * len(self.rows)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of a column. Least, greatest, mean and deviation are of all of them.

    `quantiles` (at `QUANTILES`) and `bins` are of all of them where `is_exact`, otherwise of a sample.
    """

    least: int | float
    greatest: int | float
    mean: float
    deviation: float
    zeros: int
    negatives: int
    quantiles: tuple[float, ...]
    bins: Bins
    is_exact: bool

    def quantile(self, per_mille: int) -> float:
        return self.quantiles[QUANTILES.index(per_mille)]


@dataclass(frozen=True, kw_only=True)
class Times:
    """The times of a column: first and last (ISO), rows a day, and rows an hour of the week from Monday 0 h.

    `hours` is empty for dates. Rows on days beyond the number that is counted are in `elsewhere`.
    """

    first: str
    last: str
    days: Mapping[str, int]
    hours: tuple[int, ...]
    elsewhere: int


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The lengths of a column's texts, in characters, and how many are empty."""

    shortest: int
    longest: int
    empty: int


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """One column. `top` has the most frequent values, each count at most `shortfall` too low.

    `odd`: rows with values that are neither null nor counted, by what they are (NaN, infinite). `nulls_by_day` goes by
    the profile's time column. `distinct` is None where values are not counted, an estimate unless `is_exact`.
    """

    name: str
    type: str
    kind: Kind
    nulls: int
    distinct: int | None = None
    is_exact: bool = True
    shortfall: int = 0
    top: tuple[Count, ...] = ()
    odd: Mapping[str, int] = field(default_factory=dict)
    numbers: Numbers | None = None
    times: Times | None = None
    texts: Texts | None = None
    nulls_by_day: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What data is like. `months`: of data with a month key, its last two months, the latest last."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    time_column: str | None = None
    month_column: str | None = None
    months: tuple[tuple[str, Profile], ...] = ()

    def column(self, name: str | None) -> ColumnProfile | None:
        return next((column for column in self.columns if column.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """The profile for JSON."""
        return {"version": VERSION, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Profile:
        """The profile that gave this `as_dict`. Raises ValueError for another version's."""
        if data.get("version", VERSION) != VERSION:
            raise ValueError(f"a profile of version {data['version']}, not {VERSION}")
        return cls(
            rows=data["rows"],
            columns=tuple(_column(column) for column in data["columns"]),
            time_column=data["time_column"],
            month_column=data["month_column"],
            months=tuple((month, cls.from_dict(profile)) for month, profile in data["months"]),
        )


def _column(data: Mapping[str, Any]) -> ColumnProfile:
    parts: dict[str, Any] = {"top": tuple(Count(**count) for count in data["top"])}
    if numbers := data["numbers"]:
        bins = Bins(**{**numbers["bins"], "rows": tuple(numbers["bins"]["rows"])})
        parts["numbers"] = Numbers(**{**numbers, "quantiles": tuple(numbers["quantiles"]), "bins": bins})
    if times := data["times"]:
        parts["times"] = Times(**{**times, "hours": tuple(times["hours"])})
    if texts := data["texts"]:
        parts["texts"] = Texts(**texts)
    return ColumnProfile(**{**data, **parts})

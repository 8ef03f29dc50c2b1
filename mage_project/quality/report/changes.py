"""What changed between two profiles, the biggest changes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mage_project.quality.report.profile import QUANTILES, ColumnProfile, Numbers, Profile, Scalar
from mage_project.quality.report.wording import number, share, text, value

#: Columns with at most so many different values have codes rather than numbers.
CODES = 24
#: Smaller changes are not told.
_SMALLEST = 0.01
_NAMED = 4
#: The distance of two neighbouring quantiles that are kept: what is not more may be nothing.
_GRID = 0.011


@dataclass(frozen=True, kw_only=True)
class Change:
    """How a column changed. `size`, 0 to 1, says how far its nulls or its values moved; see the page's last section.

    `before` is None for a new column, `after` for one that is gone.
    """

    name: str
    size: float
    facts: tuple[str, ...]
    before: ColumnProfile | None
    after: ColumnProfile | None

    @property
    def is_structural(self) -> bool:
        """Whether the column itself is new or gone."""
        return self.before is None or self.after is None


def changes(before: Profile, after: Profile) -> list[Change]:
    """The columns that changed, biggest changes first. The month key is expected to."""
    names = dict.fromkeys([column.name for column in (*after.columns, *before.columns)])
    expected = {before.month_column, after.month_column} - {None}
    found = [
        _change(name, before.column(name), after.column(name), before.rows, after.rows)
        for name in names
        if name not in expected
    ]
    return sorted(
        [change for change in found if change.facts], key=lambda change: (not change.is_structural, -change.size)
    )


def is_coded(column: ColumnProfile) -> bool:
    """Whether the values are few enough to be looked at one by one."""
    return column.is_exact and 0 < (column.distinct or 0) <= CODES


def distribution(column: ColumnProfile, rows: int) -> dict[Scalar, float]:
    """The share of each code among the rows that are not null."""
    valid = max(1, rows - column.nulls)
    return {count.value: count.rows / valid for count in column.top}


@dataclass(frozen=True, kw_only=True)
class _Fact:
    """One thing that changed. `is_news` is told however few rows it is about."""

    size: float
    text: str
    is_news: bool = False

    @property
    def is_told(self) -> bool:
        return self.is_news or self.size >= _SMALLEST


def _change(
    name: str, before: ColumnProfile | None, after: ColumnProfile | None, rows_before: int, rows_after: int
) -> Change:
    if before is None or after is None:
        facts = [f"new column ({text(after.type)})"] if after else []
        facts += [f"column is gone (was {text(before.type)})"] if before else []
        return Change(name=name, size=1.0, facts=tuple(facts), before=before, after=after)
    found = [_nulls(before.nulls / max(1, rows_before), after.nulls / max(1, rows_after))]
    found += _values(before, after, rows_before, rows_after)
    facts = [fact.text for fact in found if fact.is_told]
    if before.type != after.type:
        facts.insert(0, f"type {text(before.type)} → {text(after.type)}")
    size = max(fact.size for fact in found)
    return Change(name=name, size=min(size, 1.0), facts=tuple(facts), before=before, after=after)


def _nulls(one: float, other: float) -> _Fact:
    return _Fact(size=abs(other - one), text=f"null {share(one, 1)} → {share(other, 1)}")


def _values(before: ColumnProfile, after: ColumnProfile, rows_before: int, rows_after: int) -> Iterator[_Fact]:
    empty = before.nulls == rows_before or after.nulls == rows_after
    if empty or before.kind != after.kind:
        return
    if is_coded(before) and is_coded(after):
        yield from _codes(distribution(before, rows_before), distribution(after, rows_after))
    elif before.numbers is not None and after.numbers is not None:
        yield from _numbers(before.numbers, after.numbers)
    elif before.times is not None and after.times is not None:
        yield from _hours(before.times.hours, after.times.hours)


def _codes(one: Mapping[Scalar, float], other: Mapping[Scalar, float]) -> Iterator[_Fact]:
    """Half the sum of the differences; which codes are new, which are gone, and which changed most."""
    steps = {code: other.get(code, 0.0) - one.get(code, 0.0) for code in {**one, **other}}
    yield from _appeared("new", {code: other[code] for code in other if code not in one})
    yield from _appeared("gone", {code: one[code] for code in one if code not in other})
    both = sorted((code for code in steps if code in one and code in other), key=lambda code: -abs(steps[code]))
    told = [code for code in both[:_NAMED] if abs(steps[code]) >= _SMALLEST]
    shown = "; ".join(f"{value(code)}: {share(one[code], 1)} → {share(other[code], 1)}" for code in told)
    size = sum(abs(step) for step in steps.values()) / 2
    yield _Fact(size=size, text=shown or "the rest occurs more or less often")


def _appeared(what: str, codes: Mapping[Scalar, float]) -> Iterator[_Fact]:
    """A single row with a new code can be a new rule of the source."""
    if codes:
        most = sorted(codes, key=lambda code: -codes[code])
        shown = ", ".join(f"{value(code)} ({share(codes[code], 1)})" for code in most[:_NAMED])
        more = " …" if len(most) > _NAMED else ""
        yield _Fact(size=sum(codes.values()), text=f"{what}: {shown}{more}", is_news=True)


def _numbers(one: Numbers, other: Numbers) -> Iterator[_Fact]:
    """The greatest distance between the two distributions (Kolmogorov and Smirnov's), from the kept quantiles."""
    grid = np.union1d(one.quantiles, other.quantiles)
    distance = float(np.abs(_reached(one, grid) - _reached(other, grid)).max())
    size = distance if distance > _GRID else 0.0
    medians = number(one.quantile(500)), number(other.quantile(500))
    if medians[0] != medians[1]:
        yield _Fact(size=size, text=f"median {' → '.join(medians)}")
    if _middle(one) != _middle(other):
        yield _Fact(size=size, text=f"middle half {_middle(one)} → {_middle(other)}")
    # A few extreme values move a mean without moving the distribution.
    greatest = max(abs(one.mean), abs(other.mean))
    moved = abs(one.mean - other.mean) / greatest if greatest else 0.0
    size = max(size, moved / 10 if moved >= 0.1 else 0.0)
    yield _Fact(size=size, text=f"mean {number(one.mean)} → {number(other.mean)}")


def _middle(numbers: Numbers) -> str:
    return f"{number(numbers.quantile(250))} to {number(numbers.quantile(750))}"


def _reached(numbers: Numbers, grid: np.ndarray) -> np.ndarray:
    """The share of rows up to each number of the grid."""
    shares = np.array([0, *QUANTILES]) / 1000
    return shares[np.searchsorted(np.array(numbers.quantiles), grid, side="right")]


def _hours(one: tuple[int, ...], other: tuple[int, ...]) -> Iterator[_Fact]:
    """How the rows spread over the hours of the day."""
    if not sum(one) or not sum(other):
        return
    first, second = (np.array(hours).reshape(7, 24).sum(axis=0) / sum(hours) for hours in (one, other))
    most = int(np.abs(second - first).argmax())
    shares = f"{share(float(first[most]), 1)} → {share(float(second[most]), 1)}"
    text = f"{most:02d} to {(most + 1) % 24:02d} h: {shares} of the rows"
    yield _Fact(size=float(np.abs(second - first).sum() / 2), text=text)

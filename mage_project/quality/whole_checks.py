"""Checks that hold for all rows together: how many there are, a sum, a share of nulls, how old the newest is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from mage_project.errors import ConfigError
from mage_project.quality import sums
from mage_project.quality.results import CheckResult
from mage_project.quality.row_checks import percent
from mage_project.quality.rows import Rows
from mage_project.quality.rules import Rule


class Figure(Protocol):
    """One figure of all rows, added up batch by batch."""

    rows: int

    def add(self, rows: Rows, selected: pa.BooleanArray | None) -> None:
        """Look at one batch; `selected`: the rows that `where` selects, None for all."""

    def judge(self) -> tuple[bool, Any, str | None]:
        """Whether the rule holds, the figure, and what to say of it."""


class WholeCheck:
    """A rule about one figure."""

    def __init__(self, rule: Rule, *, now: datetime) -> None:
        self.rule = rule
        self._figure = Freshness(rule, now) if rule.word == "freshness" else _FIGURES[rule.word](rule)

    def take(self, rows: Rows) -> None:
        self._figure.add(rows, rows.masks[self.rule.where] if self.rule.where else None)

    def result(self) -> CheckResult:
        rule, figure = self.rule, self._figure
        passed, value, message = figure.judge()
        nulls = figure.nulls if isinstance(figure, NullShare) else None
        return CheckResult(
            rule=rule.word,
            name=rule.name,
            column=rule.column,
            severity=rule.severity,
            passed=passed,
            rows=figure.rows,
            failing=nulls,
            share=value if nulls is not None else None,
            value=value,
            message=message,
        )

    def offending(self) -> None:
        """No row by itself breaks the rule."""

    def close(self) -> None:
        """Nothing is held."""


class RowCount:
    def __init__(self, rule: Rule) -> None:
        self._rule, self.rows = rule, 0

    def add(self, rows: Rows, selected: pa.BooleanArray | None) -> None:
        self.rows += _count(rows, selected)

    def judge(self) -> tuple[bool, Any, str | None]:
        passed = _within(self._rule, self.rows)
        return passed, self.rows, None if passed else f"{self.rows:,} rows; {_wanted(self._rule)}"


class Sum:
    """Whole numbers and decimals are added exactly, floats as exactly as a double can be."""

    def __init__(self, rule: Rule) -> None:
        self._rule, self.rows = rule, 0
        self._parts: list[float] = []
        self._exact: int | Decimal = 0

    def add(self, rows: Rows, selected: pa.BooleanArray | None) -> None:
        column = _selected(rows.column(self._rule.columns[0]), selected)
        self.rows += _count(rows, selected)
        if column.null_count == len(column):
            return
        if pa.types.is_floating(column.type):
            self._parts.extend(sums.of_floats(column))
        elif pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
            self._exact = sums.add(self._exact, sums.exact(column))
        else:
            raise _misfit(self._rule, column.type, "a sum is of numbers")

    def judge(self) -> tuple[bool, Any, str | None]:
        total = sums.total([*self._parts, self._exact]) if self._parts else self._exact
        rule = self._rule
        if rule.minimum is not None and rule.minimum == rule.maximum:
            digits = max(2, -Decimal(str(rule.minimum)).normalize().as_tuple().exponent)  # type: ignore[operator]
            passed = round(float(total), digits) == rule.minimum if self._parts else Decimal(str(rule.minimum)) == total
        else:
            passed = _within(rule, total)
        return passed, total, None if passed else f"the sum is {total:,}; {_wanted(rule)}"


class NullShare:
    def __init__(self, rule: Rule) -> None:
        self._rule, self.rows, self.nulls = rule, 0, 0

    def add(self, rows: Rows, selected: pa.BooleanArray | None) -> None:
        column = _selected(rows.column(self._rule.columns[0]), selected)
        self.rows += len(column)
        self.nulls += column.null_count

    def judge(self) -> tuple[bool, Any, str | None]:
        share = self.nulls / self.rows if self.rows else 0.0
        passed = share <= self._rule.maximum
        said = (
            f"{self.nulls:,} of {self.rows:,} rows ({percent(share)}) are null; at most {percent(self._rule.maximum)}"
        )
        return passed, share, None if passed else said


class Freshness:
    """How old the newest time is. Times without a zone are taken for UTC."""

    def __init__(self, rule: Rule, now: datetime) -> None:
        self._rule, self._now, self.rows = rule, now, 0
        self._newest: datetime | None = None

    def add(self, rows: Rows, selected: pa.BooleanArray | None) -> None:
        name = self._rule.columns[0]
        column = _selected(rows.column(name), selected)
        self.rows += len(column)
        if column.null_count == len(column):
            return
        if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
            raise _misfit(self._rule, column.type, "freshness is of a date or a timestamp")
        found = _utc(pc.max(column).as_py())
        self._newest = found if self._newest is None else max(self._newest, found)

    def judge(self) -> tuple[bool, Any, str | None]:
        oldest = self._rule.max_age or timedelta()
        if self._newest is None:
            return False, None, "there is no time in it" if self.rows else "there are no rows"
        how_old = self._now - self._newest
        passed = how_old <= oldest
        newest = self._newest.replace(tzinfo=None)
        said = f"the newest is {newest}, {_age(how_old)} before {self._now:%Y-%m-%d %H:%M}; at most {_age(oldest)}"
        return passed, newest, None if passed else said


_FIGURES: Mapping[str, type[RowCount] | type[Sum] | type[NullShare]] = {
    "row_count": RowCount,
    "sum": Sum,
    "null_share": NullShare,
}
WORDS = frozenset({*_FIGURES, "freshness"})


def _count(rows: Rows, selected: pa.BooleanArray | None) -> int:
    return len(rows) if selected is None else int(pc.sum(selected).as_py() or 0)


def _selected(column: pa.Array, selected: pa.BooleanArray | None) -> pa.Array:
    return column if selected is None else column.filter(selected)


def _within(rule: Rule, value: Any) -> bool:
    return (rule.minimum is None or value >= rule.minimum) and (rule.maximum is None or value <= rule.maximum)


def _wanted(rule: Rule) -> str:
    if rule.minimum is not None and rule.minimum == rule.maximum:
        return f"it must be {rule.minimum:,}"
    if rule.maximum is None:
        return f"it must be at least {rule.minimum:,}"
    if rule.minimum is None:
        return f"it must be at most {rule.maximum:,}"
    return f"it must be from {rule.minimum:,} to {rule.maximum:,}"


def _utc(value: date) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _age(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:,.1f} days" if abs(hours) >= 48 else f"{hours:,.1f} hours"


def _misfit(rule: Rule, kind: pa.DataType, hint: str) -> ConfigError:
    return ConfigError(f"check '{rule.name}': column '{rule.column}' holds {kind}", hint=hint)

"""Checks that hold for each row by itself: which rows of a batch break the rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mage_project.errors import ConfigError
from mage_project.quality.conditions import negated
from mage_project.quality.results import CheckResult
from mage_project.quality.rows import Rows, together
from mage_project.quality.rules import Rule

#: Tables of rows that break a rule before they become one: even of a single row each takes some ten kilobytes.
PIECES = 16
#: Gives the values that a column may have, for `relationships`.
Reference = Callable[[Rule], pa.Array]


class RowCheck:
    """Counts the rows that break a rule, and keeps the first of them."""

    def __init__(self, rule: Rule, *, keep: int, reference: Reference) -> None:
        self.rule = rule
        self._keep = keep
        self._breaking = _KERNELS[rule.word](rule, reference)
        self._rows = 0
        self._failing = 0
        self._kept: list[pa.Table] = []

    def take(self, rows: Rows) -> None:
        selected = rows.masks[self.rule.where] if self.rule.where else None
        self._rows += len(rows) if selected is None else int(pc.sum(selected).as_py() or 0)
        mask = self._breaking(rows)
        if mask is None:
            return
        mask = mask if selected is None else pc.and_(mask, selected)
        failing = int(pc.sum(mask).as_py() or 0)
        self._failing += failing
        left = self._keep - sum(map(len, self._kept))
        if failing and left > 0:
            self._kept.append(rows.some(mask, left))
        if len(self._kept) > PIECES and (whole := together(self._kept)) is not None:
            self._kept = [whole.combine_chunks()]

    def result(self) -> CheckResult:
        rule, failing = self.rule, self._failing
        share = failing / self._rows if self._rows else 0.0
        return CheckResult(
            rule=rule.word,
            name=rule.name,
            column=rule.column,
            severity=rule.severity,
            passed=not failing,
            rows=self._rows,
            failing=failing,
            share=share,
            message=f"{failing:,} of {self._rows:,} rows ({percent(share)}) {_said(rule)}" if failing else None,
        )

    def offending(self) -> pa.Table | None:
        """The first rows that break the rule."""
        return together(self._kept)

    def close(self) -> None:
        self._kept.clear()


def percent(share: float) -> str:
    """Never 0 % for something, nor 100 % for less than all."""
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.9999 < share < 1:
        return "> 99.99 %"
    return f"{share * 100:.2f} %"


# -- kernels: the mask of the rows that break the rule, or None for none

Kernel = Callable[[Rows], "pa.BooleanArray | None"]


def _not_null(rule: Rule, reference: Reference) -> Kernel:
    def breaking(rows: Rows) -> pa.BooleanArray | None:
        column = rows.column(rule.columns[0])
        return pc.is_null(column) if column.null_count else None

    return breaking


def _accepted(rule: Rule, reference: Reference) -> Kernel:
    """A range without gaps is settled by the smallest and the largest value of a batch."""
    allowed: dict[pa.DataType, tuple[pa.Array, tuple[Any, Any] | None]] = {}

    def breaking(rows: Rows) -> pa.BooleanArray | None:
        column = rows.column(rule.columns[0])
        if column.null_count == len(column):
            return None
        if column.type not in allowed:
            given = pa.array(rule.values) if rule.word == "accepted_values" else reference(rule)
            values = _as_type(rule, given, column.type)
            allowed[column.type] = values, _run(values)
        values, run = allowed[column.type]
        if run is not None:
            low, high = rows.extent(rule.columns[0])
            if run[0] <= low and high <= run[1]:
                return None
        found = pc.is_in(column, values)
        return None if pc.all(found).as_py() else pc.and_(pc.invert(found), pc.is_valid(column))

    return breaking


def _bounds(rule: Rule, reference: Reference) -> Kernel:
    typed: dict[pa.DataType, tuple[Any, Any]] = {}

    def breaking(rows: Rows) -> pa.BooleanArray | None:
        name = rule.columns[0]
        column = rows.column(name)
        if column.null_count == len(column):
            return None
        if column.type not in typed:
            typed[column.type] = _bound(rule, rule.minimum, column.type), _bound(rule, rule.maximum, column.type)
        low, high = typed[column.type]
        if _is_number(column.type):
            least, most = rows.extent(name)
            if (low is None or least >= rule.minimum) and (high is None or most <= rule.maximum):
                return None
        broken = [pc.less(column, low)] if low is not None else []
        broken += [pc.greater(column, high)] if high is not None else []
        return pc.fill_null(broken[0] if len(broken) == 1 else pc.or_(*broken), False)

    return breaking


def _expression(rule: Rule, reference: Reference) -> Kernel:
    return lambda rows: rows.masks[negated(rule.sql or "")]


_KERNELS: dict[str, Callable[[Rule, Reference], Kernel]] = {
    "not_null": _not_null,
    "accepted_values": _accepted,
    "relationships": _accepted,
    "min": _bounds,
    "max": _bounds,
    "between": _bounds,
    "expression": _expression,
}
WORDS = frozenset(_KERNELS)


# -- what a rule names, in the type of the column


def _as_type(rule: Rule, values: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The values that the type can hold; the column has no others. ConfigError where the kinds differ."""
    _check_kind(rule, values.type, wanted)
    values = values.drop_null()
    try:
        return values.cast(wanted)
    except pa.ArrowInvalid:
        fitting = [_cast(value, wanted) for value in values]
        return pa.array([value for value in fitting if value is not None], wanted)


def _bound(rule: Rule, bound: Any, wanted: pa.DataType) -> Any:
    """A number as it is, so that 0.5 can bound whole numbers; anything else in the type of the column."""
    if bound is None:
        return None
    scalar = pa.scalar(bound)
    _check_kind(rule, scalar.type, wanted)
    if _is_number(wanted):
        return scalar
    found = _cast(scalar, wanted)
    if found is None:
        raise _misfit(rule, f"{bound!r}", wanted)
    return found


def _cast(scalar: Any, wanted: pa.DataType) -> Any:
    try:
        if pa.types.is_timestamp(wanted) and wanted.tz:  # without a zone a time is UTC
            return scalar.cast(pa.timestamp(wanted.unit)).cast(wanted)
        return scalar.cast(wanted)
    except pa.ArrowInvalid:
        return None


def _check_kind(rule: Rule, given: pa.DataType, wanted: pa.DataType) -> None:
    """Numbers go with numbers; text with text and times."""
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    is_text = any(each(wanted) for each in text)
    given_text = any(each(given) for each in text)
    if given_text:
        fits = is_text or pa.types.is_temporal(wanted)
    elif pa.types.is_temporal(given):
        fits = pa.types.is_temporal(wanted)
    elif pa.types.is_boolean(given) or pa.types.is_boolean(wanted):
        fits = given == wanted
    else:
        fits = _is_number(wanted)
    if not fits:
        raise _misfit(rule, f"{given}", wanted)


def _misfit(rule: Rule, given: str, wanted: pa.DataType) -> ConfigError:
    return ConfigError(
        f"check '{rule.name}': column '{rule.column}' holds {wanted}, which cannot be compared with {given}",
        hint="write the rule's values as the column holds them: text in quotes, numbers without",
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _run(values: pa.Array) -> tuple[Any, Any] | None:
    """The first and the last of whole numbers without a gap, else None."""
    if not pa.types.is_integer(values.type) or not len(values):
        return None
    found = pc.min_max(values)
    low, high = found["min"].as_py(), found["max"].as_py()
    return (low, high) if high - low + 1 == pc.count_distinct(values).as_py() else None


def _said(rule: Rule) -> str:
    """What the rows do that break the rule."""
    if rule.word == "not_null":
        return "are null"
    if rule.word == "accepted_values":
        return f"are none of {listed(rule.values)}"
    if rule.word == "relationships":
        return f"are not among '{rule.field}' of {rule.to}"
    if rule.word == "expression":
        return f"break: {rule.sql}"
    if rule.minimum is None:
        return f"are above {rule.maximum}"
    return f"are below {rule.minimum}" if rule.maximum is None else f"are outside {rule.minimum} to {rule.maximum}"


def listed(values: Sequence[Any], most: int = 12) -> str:
    shown = ", ".join(map(str, values[:most]))
    return f"{shown} and {len(values) - most:,} more" if len(values) > most else shown

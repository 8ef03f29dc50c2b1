"""What the page shows of one column, made ready for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from mage_project.quality.report import wording
from mage_project.quality.report.changes import is_coded
from mage_project.quality.report.charts import Chart, Limits, chart, nulls_chart
from mage_project.quality.report.drawing import outline
from mage_project.quality.report.profile import ColumnProfile, Numbers, Profile
from mage_project.quality.report.spans import span

if TYPE_CHECKING:
    from mage_project.quality.results import CheckResult
    from mage_project.quality.rules import Rule

#: Values shown of a column with codes, and of any other.
_CODES, _VALUES = 24, 5


@dataclass(frozen=True, kw_only=True)
class Line:
    """One value of a column: how many rows have it, and the width of its bar in hundredths."""

    value: str
    rows: str
    share: str
    width: float


@dataclass(frozen=True, kw_only=True)
class Card:
    """One column. `facts` are pairs of a word and a number."""

    id: str
    name: str
    type: str
    nulls: str
    has_nulls: bool
    distinct: str
    extremes: str
    small: Markup | None
    facts: Sequence[tuple[str, str]]
    chart: Chart | None
    values: Sequence[Line]
    values_title: str
    nulls_chart: Chart | None
    checks: Sequence[CheckResult]


def card(column: ColumnProfile, profile: Profile, place: int, checks: Sequence[CheckResult], limits: Limits) -> Card:
    """The card of the column at a place."""
    valid = profile.rows - column.nulls
    values = _lines(column, valid)
    return Card(
        id=f"column-{place}",
        name=wording.text(column.name) or "(no name)",
        type=column.type,
        nulls=wording.share(column.nulls, profile.rows),
        has_nulls=column.nulls > 0,
        distinct=_distinct(column),
        extremes=_extremes(column),
        small=_small(column),
        facts=_facts(column, profile.rows),
        chart=chart(column, limits),
        values=values,
        values_title="Values" if is_coded(column) else _most_frequent(column),
        nulls_chart=nulls_chart(column, profile),
        checks=checks,
    )


def _distinct(column: ColumnProfile) -> str:
    if column.distinct is None:
        return "–"
    return wording.count(column.distinct) if column.is_exact else f"≈ {wording.number(float(f'{column.distinct:.2g}'))}"


def _extremes(column: ColumnProfile) -> str:
    if column.numbers:
        return f"{wording.number(column.numbers.least)} to {wording.number(column.numbers.greatest)}"
    if column.times:
        return f"{column.times.first[:10]} to {column.times.last[:10]}"
    if column.texts:
        one = column.texts.shortest == column.texts.longest
        lengths = f"{column.texts.shortest}" if one else f"{column.texts.shortest} to {column.texts.longest}"
        return f"{lengths} character{'' if column.texts.longest == 1 else 's'}"
    return "–"


def _small(column: ColumnProfile) -> Markup | None:
    name = wording.text(column.name)
    if column.times:
        return outline(list(span(column.times.days).rows.values()), label=f"{name}: rows over time")
    if is_coded(column) or column.kind == "boolean":
        by_value = sorted(column.top, key=lambda count: (isinstance(count.value, str), count.value))
        return outline([count.rows for count in by_value], label=f"{name}: rows by value")
    if column.numbers:
        return outline(column.numbers.bins.rows, label=f"{name}: distribution")
    return None


def _facts(column: ColumnProfile, rows: int) -> list[tuple[str, str]]:
    facts = [("null", _part(column.nulls, rows))]
    if column.distinct is not None:
        facts.append(("distinct", _distinct(column)))
    facts += [(what, wording.count(count)) for what, count in column.odd.items()]
    if column.numbers:
        facts += _number_facts(column, column.numbers, rows - column.nulls)
    if column.times:
        facts += [("first", column.times.first), ("last", column.times.last)]
    if column.texts:
        facts.append(("length", _extremes(column)))
        facts.append(("empty", _part(column.texts.empty, rows)))
    return facts


def _part(rows: int, whole: int) -> str:
    return f"{wording.count(rows)} · {wording.share(rows, whole)}" if rows else "none"


def _number_facts(column: ColumnProfile, numbers: Numbers, valid: int) -> list[tuple[str, str]]:
    about = "" if numbers.is_exact else "≈ "
    facts = [
        ("least", wording.number(numbers.least)),
        ("5 % below", about + wording.number(numbers.quantile(50))),
        ("median", about + wording.number(numbers.quantile(500))),
        ("mean", wording.number(numbers.mean)),
        ("95 % below", about + wording.number(numbers.quantile(950))),
        ("greatest", wording.number(numbers.greatest)),
        ("deviation", wording.number(numbers.deviation)),
        ("zero", wording.share(numbers.zeros, valid)),
        ("negative", wording.share(numbers.negatives, valid)),
    ]
    # The values of codes are all there to be seen.
    return [("mean", wording.number(numbers.mean))] if is_coded(column) else facts


def _lines(column: ColumnProfile, valid: int) -> list[Line]:
    if column.kind == "time" or not column.top:
        return []
    coded = is_coded(column) or column.kind == "boolean"
    shown = column.top[:_CODES] if coded else [count for count in column.top[:_VALUES] if count.rows > 1]
    if not shown:
        return []
    about = "≥ " if column.shortfall else ""
    most = shown[0].rows
    return [
        Line(
            value=wording.value(count.value),
            rows=about + wording.count(count.rows),
            share=wording.share(count.rows, valid),
            width=round(100 * count.rows / most, 1),
        )
        for count in shown
    ]


def _most_frequent(column: ColumnProfile) -> str:
    return f"Most frequent of {_distinct(column)}"


def by_column(results: Sequence[CheckResult]) -> Mapping[str, list[CheckResult]]:
    """The checks that are about one column, by its name."""
    found: dict[str, list[CheckResult]] = {}
    for result in results:
        if result.column is not None:
            found.setdefault(result.column, []).append(result)
    return found


def limits_of(rules: Sequence[Rule]) -> Mapping[str, Limits]:
    """What the rules `min`, `max` and `between` allow, by column."""
    found: dict[str, Limits] = {}
    for rule in rules:
        if rule.word in {"min", "max", "between"} and len(rule.columns) == 1 and rule.where is None:
            found[rule.columns[0]] = (_limit(rule.minimum), _limit(rule.maximum))
    return found


def _limit(bound: object) -> float | None:
    return float(bound) if isinstance(bound, int | float) and not isinstance(bound, bool) else None

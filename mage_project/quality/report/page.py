"""The report as one HTML page without scripts that needs nothing from elsewhere."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mage_project.characters import visible
from mage_project.quality.report import wording
from mage_project.quality.report.cards import by_column, card, limits_of
from mage_project.quality.report.charts import days_chart
from mage_project.quality.report.comparison import comparison
from mage_project.quality.report.drawing import heat_map, hour_of_week
from mage_project.quality.report.profile import Profile, Times
from mage_project.quality.report.spans import span

if TYPE_CHECKING:
    from mage_project.quality.results import CheckResult
    from mage_project.quality.rules import Rule

_HERE = Path(__file__).parent
#: Days outside the main span that are listed one by one.
_LISTED = 24


def page(
    profile: Profile,
    results: Sequence[CheckResult],
    *,
    title: str,
    before: Profile | None = None,
    before_title: str = "before",
    rules: Sequence[Rule] = (),
    now: datetime.datetime | None = None,
) -> str:
    """The page about data called `title`.

    `results`: what the checks found; `rules`: what they were, to show in the distributions what they allow.
    `before`: the data to compare with, called `before_title`. Without it the last two months are compared, where the
    data has a month key.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    places = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    places.filters |= {"count": wording.count, "share": wording.share, "text": wording.text}
    places.filters |= {"value": _shown, "figure": _figure, "visible": visible}
    moment = now or datetime.datetime.now().astimezone()
    return places.get_template("page.html.j2").render(
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (a file of ours)
        title=wording.source(title),
        made=f"{moment.day} {moment:%B %Y, %H:%M %Z}".strip(),
        profile=profile,
        verdict=_verdict(results),
        results=sorted(results, key=lambda result: (result.passed, result.severity == "warn")),
        comparison=comparison(profile, before, before_title),
        time=_time(profile),
        cards=_cards(profile, results, rules),
        null_share=_null_share(profile),
        estimated=[column.name for column in profile.columns if not column.is_exact],
    )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What all checks together say; `style` is good, warn, bad or none."""

    style: str
    text: str


@dataclass(frozen=True, kw_only=True)
class TimeSection:
    """The rows by the time column."""

    name: str
    times: Times
    chart: Any
    heat: Markup | None
    busiest: str
    outside: Sequence[tuple[str, int]]
    outside_days: int
    outside_rows: int


def _verdict(results: Sequence[CheckResult]) -> Verdict:
    failed = sum(result.failed for result in results)
    warned = sum(not result.passed for result in results) - failed
    number = f"{len(results)} check{'' if len(results) == 1 else 's'}"
    warning = f"{warned} warn{'s' if warned == 1 else ''}"
    if not results:
        return Verdict(style="none", text="no checks")
    if failed:
        also = f", {warning}" if warned else ""
        return Verdict(style="bad", text=f"{failed} of {number} failed{also}")
    if warned:
        return Verdict(style="warn", text=f"{warning} of {number}")
    return Verdict(style="good", text=f"all {number} passed" if len(results) > 1 else f"{number} passed")


def _cards(profile: Profile, results: Sequence[CheckResult], rules: Sequence[Rule]) -> list[Any]:
    checks, limits = by_column(results), limits_of(rules)
    return [
        card(column, profile, place, checks.get(column.name, []), limits.get(column.name, (None, None)))
        for place, column in enumerate(profile.columns, start=1)
    ]


def _null_share(profile: Profile) -> str:
    return wording.share(sum(column.nulls for column in profile.columns), profile.rows * len(profile.columns))


def _time(profile: Profile) -> TimeSection | None:
    times = getattr(profile.column(profile.time_column), "times", None)
    if times is None or profile.time_column is None:
        return None
    found = span(times.days)
    name = wording.text(profile.time_column)
    hours = _mean_hours(times.hours, found.weekdays())
    busiest = max(range(len(hours)), key=hours.__getitem__, default=0)
    return TimeSection(
        name=name,
        times=times,
        chart=days_chart(found),
        heat=heat_map(hours, label=f"Mean rows by weekday and hour of {name}") if hours else None,
        busiest=f"{hour_of_week(busiest)}, with {wording.number(round(hours[busiest], 1))} rows" if hours else "",
        outside=[(wording.day(day), rows) for day, rows in found.outside.items()][:_LISTED],
        outside_days=len(found.outside),
        outside_rows=sum(found.outside.values()) + times.elsewhere,
    )


def _mean_hours(hours: Sequence[int], weekdays: Sequence[int]) -> list[float]:
    """The rows of each hour of the week, divided by how often its weekday comes in the main span."""
    return [rows / max(1, weekdays[place // 24]) for place, rows in enumerate(hours)]


def _figure(figure: Any) -> str:
    """What a rule about all rows has found."""
    is_number = isinstance(figure, int | float) and not isinstance(figure, bool)
    return wording.number(figure) if is_number else _shown(figure)


def _shown(value: Any) -> str:
    """A value of an offending row."""
    return wording.value(value if value is None or isinstance(value, str | int | float | bool) else str(value))

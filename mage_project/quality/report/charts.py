"""The charts of one column with what stands below them: rows over time, distribution, nulls over time."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mage_project.quality.report import wording
from mage_project.quality.report.changes import is_coded
from mage_project.quality.report.drawing import Bar, bar_chart, is_cut
from mage_project.quality.report.profile import ColumnProfile, Numbers, Profile
from mage_project.quality.report.spans import Span, by_step, span

#: The least and the greatest number that a rule allows, None where it says nothing.
Limits = tuple[float | None, float | None]
#: From this share of nulls on their chart shows the whole height as 100 %.
_MANY_NULLS = 0.2


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing with what stands below it: at its left, in its middle, at its right; and notes."""

    drawing: Markup
    left: str
    right: str
    notes: tuple[str, ...] = ()


def chart(column: ColumnProfile, limits: Limits) -> Chart | None:
    if column.times:
        return days_chart(span(column.times.days))
    if column.numbers and not is_coded(column):
        return _histogram(column.numbers, wording.text(column.name), limits)
    return None


def _histogram(numbers: Numbers, name: str, limits: Limits) -> Chart:
    bins = numbers.bins
    edges = [bins.start + bins.width * place for place in range(len(bins.rows) + 1)]
    bars = [
        Bar(
            rows=rows,
            title=f"{wording.number(low)} to {wording.number(high)}: {wording.rows(rows)}",
            style="out" if _is_out(low, high, limits) else "",
        )
        for rows, low, high in zip(bins.rows, edges, edges[1:], strict=False)
    ]
    if bins.below:
        title = f"below {wording.number(bins.start)}: {wording.rows(bins.below)}"
        style = "out" if _is_out(-math.inf, bins.start, limits) else "tail"
        bars.insert(0, Bar(rows=bins.below, title=title, style=style))
    if bins.above:
        title = f"above {wording.number(bins.end)}: {wording.rows(bins.above)}"
        style = "out" if _is_out(bins.end, math.inf, limits) else "tail"
        bars.append(Bar(rows=bins.above, title=title, style=style))
    return Chart(
        drawing=bar_chart(bars, label=f"Distribution of {name}, {len(bins.rows)} bins of {wording.number(bins.width)}"),
        left=_side("↤", numbers.least, bins.start, bins.below),
        right=_side("↦", numbers.greatest, bins.end, bins.above),
        notes=tuple(_histogram_notes(numbers, [bar.rows for bar in bars], limits)),
    )


def _is_out(low: float, high: float, limits: Limits) -> bool:
    """Whether no number from `low` to below `high` is allowed."""
    least, greatest = limits
    return (least is not None and high <= least) or (greatest is not None and low > greatest)


def _side(arrow: str, extreme: float, edge: float, beyond: int) -> str:
    if not beyond:
        return wording.number(edge)
    rows = wording.rows(beyond)
    return f"{arrow} {rows} · {wording.number(edge)}" if arrow == "↤" else f"{wording.number(edge)} · {rows} {arrow}"


def _histogram_notes(numbers: Numbers, drawn: Sequence[float], limits: Limits) -> list[str]:
    notes = []
    if is_cut(drawn):
        notes.append(f"the highest bar is cut: {wording.rows(int(max(drawn)))}")
    least, greatest = limits
    allowed = [] if least is None else [f"from {wording.number(least)}"]
    allowed += [] if greatest is None else [f"to {wording.number(greatest)}"]
    if allowed:
        notes.append(f"allowed {' '.join(allowed)}")
    if not numbers.is_exact:
        notes.append("estimated from a sample")
    return notes


def days_chart(found: Span) -> Chart:
    """Rows by day (or week, or month), weekends in a lighter shade."""
    bars = [
        Bar(
            rows=rows,
            title=f"{_step_name(start, found.step)}: {wording.rows(rows)}",
            style="quiet" if found.step == "day" and datetime.date.fromisoformat(start).weekday() >= 5 else "",
        )
        for start, rows in found.rows.items()
    ]
    least, most = min(found.rows.values()), max(found.rows.values())
    size = wording.rows(most) if least == most else f"{wording.count(least)} to {wording.rows(most)}"
    between = f"{size} a {found.step}"
    label = f"Rows by {found.step} from {found.first} to {found.last}: {between}"
    notes = [between]
    if found.empty:
        shown = ", ".join(wording.day(start) for start in found.empty[:5])
        notes.append(f"no rows on {shown}{' …' if len(found.empty) > 5 else ''}")
    return Chart(
        drawing=bar_chart(bars, label=label),
        left=wording.day(found.first),
        right=wording.day(found.last),
        notes=tuple(notes),
    )


def _step_name(start: str, step: str) -> str:
    return wording.day(start) if step == "day" else f"{step} from {wording.day(start)}"


def nulls_chart(column: ColumnProfile, profile: Profile) -> Chart | None:
    """The share of nulls by day, along the main span of the time column."""
    times = getattr(profile.column(profile.time_column), "times", None)
    if times is None or not column.nulls_by_day or column.nulls == profile.rows:
        return None
    found = span(times.days)
    nulls = by_step(column.nulls_by_day, found.first, found.last, found.step)
    shares = {start: nulls[start] / rows if rows else 0.0 for start, rows in found.rows.items()}
    if not any(shares.values()):
        return None
    bars = [
        Bar(rows=each, title=f"{_step_name(start, found.step)}: {wording.share(each, 1)} null", style="null")
        for start, each in shares.items()
    ]
    most_nulls = max(shares.values())
    least, most = wording.share(min(shares.values()), 1), wording.share(most_nulls, 1)
    label = f"Share of nulls by {found.step}, {least} to {most}"
    return Chart(
        drawing=bar_chart(bars, label=label, top=1.0 if most_nulls >= _MANY_NULLS else most_nulls),
        left=wording.day(found.first),
        right=wording.day(found.last),
        notes=(f"null {least} to {most} a {found.step}",),
    )

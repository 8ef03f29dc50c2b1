"""Charts as inline SVG without text: they stretch with the page, and their labels are the page's own, in its size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mage_project.quality.report.wording import number, share

#: A bar that is so many times higher than the next is cut, so that the others can be seen.
_TOWERING = 3.0
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HEIGHT = 100.0

#: The shares of values; None stands for nulls.
Shares = Mapping[str | None, float]

_CHART = Markup('<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>')
_BAR = Markup('<rect{} x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
_CUT = Markup('<rect class="gap" x="{}" y="9" width="{}" height="4"/>')


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: its height in rows, what is said of it, and its class: `tail`, `out`, `quiet` or `null`."""

    rows: float
    title: str
    style: str = ""


def bar_chart(bars: Sequence[Bar], *, label: str, top: float | None = None) -> Markup:
    """Upright bars, the height standing for `top`. Without it, one that towers above the others is cut, which shows."""
    top = top or _top([bar.rows for bar in bars])
    gap = 0.1 if len(bars) <= 60 else 0.0
    parts = [_bar(bar, place, top, gap) for place, bar in enumerate(bars)]
    return _CHART.format("chart", len(bars), _plain(_HEIGHT), label, Markup("").join(parts))


def is_cut(rows: Sequence[float]) -> bool:
    """Whether a bar chart of these cuts its highest bar."""
    return bool(rows) and _top(rows) < max(rows)


def outline(rows: Sequence[float], *, label: str) -> Markup:
    """A small bar chart as one shape."""
    top, path = max(rows, default=0) or 1, ["M0 100"]
    for place, each in enumerate(rows):
        path.append(f"V{_plain(_HEIGHT - _HEIGHT * each / top)}H{place + 1}")
    drawn = Markup('<path d="{}V100Z"/>').format("".join(path))
    return _CHART.format("outline", max(1, len(rows)), _plain(_HEIGHT), label, drawn)


def heat_map(hours: Sequence[float], *, label: str) -> Markup:
    """Seven rows, Monday first, of 24 hours; the more rows, the stronger."""
    most = max(hours) or 1.0
    cells = [
        Markup('<rect x="{}" y="{}" width="1" height="1" fill-opacity="{}"><title>{}</title></rect>').format(
            place % 24, place // 24, _plain(0.04 + 0.96 * rows / most), f"{hour_of_week(place)}: {number(rows)} rows"
        )
        for place, rows in enumerate(hours)
    ]
    return _CHART.format("heat", 24, 7, label, Markup("").join(cells))


def hour_of_week(place: int) -> str:
    """Monday, 08 to 09 h"""
    hour = place % 24
    return f"{_WEEKDAYS[place // 24]}, {hour:02d} to {(hour + 1) % 24:02d} h"


def ranges(before: Sequence[float], after: Sequence[float], *, label: str) -> Markup:
    """Two lines, before above: from the 5th to the 95th hundredth, thick in the middle half, the median marked.

    Both are given as the numbers at 5, 25, 50, 75 and 95 hundredths.
    """
    low, high = min(*before, *after), max(*before, *after)
    scale = 96 / (high - low) if high > low else 0.0
    parts = [
        part
        for style, top, five in (("before", 0, before), ("after", 16, after))
        for part in _range(style, top, [2 + (each - low) * scale for each in five])
    ]
    return _CHART.format("pair", 100, 28, label, Markup("").join(parts))


def stacks(before: Shares, after: Shares, *, label: str) -> Markup:
    """Two bars of shares, before above, with the same order and strength for each name, nulls last."""
    names = sorted({**before, **after}, key=lambda name: (name is None, -before.get(name, 0.0) - after.get(name, 0.0)))
    strengths = {name: 0.5 if name is None else max(0.15, 1.0 - 0.28 * place) for place, name in enumerate(names)}
    parts = [
        part
        for style, top, shares in (("before", 0, before), ("after", 16, after))
        for part in _stack(style, top, shares, strengths)
    ]
    return _CHART.format("pair", 100, 28, label, Markup("").join(parts))


def _bar(bar: Bar, place: int, top: float, gap: float) -> Markup:
    height = max(1.0, min(_HEIGHT, _HEIGHT * bar.rows / top)) if bar.rows else 0.0
    style = Markup(' class="{}"').format(bar.style) if bar.style else ""
    x, width = _plain(place + gap / 2), _plain(1 - gap)
    drawn = _BAR.format(style, x, _plain(_HEIGHT - height), width, _plain(height), bar.title)
    return drawn + _CUT.format(x, width) if bar.rows > top else drawn


def _top(rows: Iterable[float]) -> float:
    """The rows that the chart's height stands for."""
    first, second = ([*sorted(rows, reverse=True), 0.0, 0.0])[:2]
    return second * 1.25 if second and first > _TOWERING * second else first or 1.0


def _range(style: str, top: int, places: Sequence[float]) -> list[Markup]:
    low, quarter, median, upper, high = places
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    return [
        shape.format(style, _plain(low), top + 5, _plain(max(0.6, high - low)), 2),
        shape.format(style, _plain(quarter), top + 2, _plain(max(0.6, upper - quarter)), 8),
        shape.format("median", _plain(median - 0.5), top, 1, 12),
    ]


def _stack(
    style: str, top: int, shares: Mapping[str | None, float], strengths: Mapping[str | None, float]
) -> list[Markup]:
    parts, x = [], 0.0
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="12" fill-opacity="{}"><title>{}</title></rect>')
    for name, strength in strengths.items():
        width = 100 * shares.get(name, 0.0)
        if width:
            title = f"{'null' if name is None else name}: {share(shares[name], 1)}"
            parts.append(
                shape.format("null" if name is None else style, _plain(x), top, _plain(width), _plain(strength), title)
            )
        x += width
    return parts


def _plain(length: float) -> str:
    return f"{length:.2f}".rstrip("0").rstrip(".")

"""How the report writes numbers, shares, dates and values of the data, which nobody has vetted."""

from __future__ import annotations

import datetime

from mage_project.characters import visible
from mage_project.quality.report.profile import Scalar

#: Longer values are cut.
_LONGEST = 60
#: Spaces at which no line breaks.
_NARROW = "\u202f"
_PERCENT = f"{_NARROW}%"


def count(number: float) -> str:
    """12,345"""
    return f"{number:,.0f}"


def number(value: float) -> str:
    """About four digits: 0.0123, 1.5, 27.08, 205,654; powers of ten where they are very large or small."""
    sign = "−" if value < 0 else ""
    return sign + _size(abs(value))


def _size(size: float) -> str:
    if size < 1e15 and size == int(size):
        return f"{int(size):,}"
    if not 1e-4 <= size < 1e9:
        return f"{size:.3g}"
    if size >= 1000:
        return f"{size:,.0f}"
    return f"{size:.{1 if size >= 100 else 2 if size >= 1 else 4}f}".rstrip("0").rstrip(".")


def share(part: float, whole: float) -> str:
    """44.7 %; what is there but would round to nothing is < 0.1 %, and what is not all is > 99.9 %."""
    percent = 100 * part / whole if whole else 0.0
    if percent in {0.0, 100.0}:
        return f"{percent:.0f}{_PERCENT}"
    if percent < 0.1:
        return f"<{_NARROW}0.1{_PERCENT}"
    return f">{_NARROW}99.9{_PERCENT}" if percent > 99.9 else f"{percent:.1f}{_PERCENT}"


def rows(number: int) -> str:
    """1 row, 12 rows"""
    return f"{number:,} row{'' if number == 1 else 's'}"


def day(iso: str) -> str:
    """Thu 1 Oct 2020"""
    date = datetime.date.fromisoformat(iso)
    return f"{date:%a} {date.day} {date:%b} {date.year:04d}"


def value(what: Scalar | None) -> str:
    """A value of the data, made visible and not too long."""
    if isinstance(what, bool):
        return str(what).lower()
    if isinstance(what, int):
        return str(what)
    if isinstance(what, float):
        return f"{what:.0f}" if what.is_integer() and abs(what) < 1e15 else f"{what:.15g}"
    return "null" if what is None else text(what) or "(empty)"


def text(raw: str) -> str:
    """A text on one line, its control characters (also those that turn the direction of writing) as escapes."""
    return visible(raw[: _LONGEST - 1] + "…" if len(raw) > _LONGEST else raw)


def source(raw: str) -> str:
    """The name of data, such as a path: its end says more than its beginning."""
    return visible("…" + raw[-_LONGEST + 1 :] if len(raw) > _LONGEST else raw)

"""Histograms and quantiles of weighted numbers, with round bins that a few extreme values do not stretch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mage_project.quality.report.profile import QUANTILES, Bins

_MOST_BINS = 40
#: Between these quantiles lies the main part; what is beyond is shown as two sums at the sides.
_TAIL = 0.005
#: The main part is widened to the least and greatest number where they are near: so much of its own width.
_NEAR = 0.25
#: And it ends so many times the width of the middle half beyond that: a default of 0 among coordinates is no main part.
_FENCE = 10


def quantiles(numbers: Any, weights: Any) -> tuple[float, ...]:
    """The numbers (ascending, each with the rows it stands for) at `QUANTILES`."""
    reached = np.cumsum(weights)
    places = np.searchsorted(reached, np.array(QUANTILES) / 1000 * reached[-1])
    return tuple(float(number) for number in numbers[np.minimum(places, len(numbers) - 1)])


def bins(numbers: Any, weights: Any, *, rows: int, whole: bool) -> Bins:
    """The histogram of numbers (ascending, weighted), scaled to `rows`. `whole`: bins are made for whole numbers."""
    low, high = _main_part(numbers, weights)
    width = _round_width(high / _MOST_BINS - low / _MOST_BINS, whole=whole)
    # A bin of whole numbers is around them, so that a bar stands over its number.
    shift = width / 2 if whole and width == 1 else 0.0
    first = math.floor((low + shift) / width)
    size = max(1, math.floor((high + shift) / width - first + 1e-9) + 1)
    with np.errstate(over="ignore"):
        places = np.floor((numbers + shift) / width - first + 1e-9)
    inside = (places >= 0) & (places < size)
    counts = np.bincount(places[inside].astype(np.int64), weights[inside], minlength=size)
    scale = rows / float(weights.sum())
    return Bins(
        start=first * width - shift,
        width=width,
        rows=tuple(round(float(count) * scale) for count in counts),
        below=round(float(weights[places < 0].sum()) * scale),
        above=round(float(weights[places >= size].sum()) * scale),
    )


def _main_part(numbers: Any, weights: Any) -> tuple[float, float]:
    reached = np.cumsum(weights) / weights.sum()
    places = np.minimum(np.searchsorted(reached, [_TAIL, 0.25, 0.75, 1 - _TAIL]), len(numbers) - 1)
    low, quarter, upper, high = (float(number) for number in numbers[places])
    if upper > quarter:
        fence = _FENCE * (upper - quarter)
        low = max(low, float(numbers[np.searchsorted(numbers, quarter - fence)]))
        high = min(high, float(numbers[np.searchsorted(numbers, upper + fence, side="right") - 1]))
    near = (high - low) * _NEAR
    least, greatest = float(numbers[0]), float(numbers[-1])
    return (least if low - least <= near else low), (greatest if greatest - high <= near else high)


def _round_width(width: float, *, whole: bool) -> float:
    """The next 1, 2 or 5 times a power of ten; at least 1 for whole numbers."""
    if not width > 0 or not math.isfinite(width):
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    steps = (step * power for step in (1, 2, 5) if step * power >= width * (1 - 1e-9))
    rounded = next(steps, 10 * power)
    return max(rounded, 1.0) if whole else rounded

"""What is gathered of one column, batch by batch, by the kind of its type."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mage_project.quality.report.binning import bins, quantiles
from mage_project.quality.report.profile import Count, Kind, Numbers, Texts
from mage_project.quality.report.sample import Sample
from mage_project.quality.report.tally import Tally
from mage_project.quality.report.times import TimeGatherer

#: Values that a profile keeps of a column. A list of codes up to this length is compared from month to month.
TOP = 50
_TEXT_CAPACITY = 20_000
#: Texts are told apart by their beginnings.
_BEGINNING = 200


class Gatherer(Protocol):
    """Takes Arrow arrays without nulls, and gives in the end what a ColumnProfile says of them."""

    kind: Kind

    def add(self, array: Any) -> None: ...

    def finish(self) -> dict[str, Any]: ...


def gatherer(arrow: pa.DataType) -> Gatherer:
    """The one for a type."""
    types = pa.types
    if types.is_boolean(arrow):
        return BooleanGatherer()
    if types.is_integer(arrow) or types.is_floating(arrow) or types.is_decimal(arrow):
        return NumberGatherer()
    if types.is_timestamp(arrow) or types.is_date(arrow):
        return TimeGatherer(arrow)
    if types.is_string(arrow) or types.is_large_string(arrow) or types.is_string_view(arrow) or types.is_time(arrow):
        return TextGatherer()
    return OtherGatherer()


class OtherGatherer:
    """Lists, structs, bytes, intervals: only their nulls are counted."""

    kind: Kind = "other"

    def add(self, array: Any) -> None:
        """Nothing is looked at."""

    def finish(self) -> dict[str, Any]:
        return {}


class BooleanGatherer:
    """True and false."""

    kind: Kind = "boolean"

    def __init__(self) -> None:
        self._tally = Tally()

    def add(self, array: Any) -> None:
        self._tally.add(array)

    def finish(self) -> dict[str, Any]:
        return _counted(self._tally)


class TextGatherer:
    """Texts, and times of day, which are few and have no histogram."""

    kind: Kind = "text"

    def __init__(self) -> None:
        self._tally = Tally(_TEXT_CAPACITY)
        self._shortest, self._longest, self._empty = math.inf, 0, 0

    def add(self, array: Any) -> None:
        texts = array.cast(pa.large_string())
        if not len(texts):
            return
        lengths = pc.utf8_length(texts)
        extremes = pc.min_max(lengths).as_py()
        self._shortest = min(self._shortest, extremes["min"])
        self._longest = max(self._longest, extremes["max"])
        self._empty += pc.sum(pc.equal(lengths, 0)).as_py()
        self._tally.add(texts if extremes["max"] <= _BEGINNING else pc.utf8_slice_codeunits(texts, 0, _BEGINNING))

    def finish(self) -> dict[str, Any]:
        if self._shortest == math.inf:
            return {"distinct": 0}
        lengths = Texts(shortest=int(self._shortest), longest=self._longest, empty=self._empty)
        counted = _counted(self._tally)
        return {**counted, "is_exact": counted["is_exact"] and self._longest <= _BEGINNING, "texts": lengths}


class NumberGatherer:
    """Integers, floats and decimals. What is computed, is computed as 64-bit floats."""

    kind: Kind = "number"

    def __init__(self) -> None:
        self._tally = Tally()
        self._sample = Sample()
        self._odd = {"NaN": 0, "infinite": 0}
        self._rows = self._zeros = self._negatives = 0
        self._mean = self._squares = 0.0
        self._least: Any = None
        self._greatest: Any = None

    def add(self, array: Any) -> None:
        numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        finite = np.isfinite(numbers)
        if not finite.all():
            self._odd["NaN"] += int(np.isnan(numbers).sum())
            self._odd["infinite"] += int(np.isinf(numbers).sum())
            array, numbers = array.filter(pa.array(finite)), numbers[finite]
        if not len(numbers):
            return
        if pa.types.is_floating(array.type):
            array = pa.array(numbers + 0.0)  # without negative zeros, which Arrow tells apart
        self._measure(array, numbers)
        self._tally.add(array)
        self._sample.add(numbers)

    def _measure(self, array: Any, numbers: Any) -> None:
        extremes = pc.min_max(array).as_py()
        self._least = _known(min, self._least, extremes["min"])
        self._greatest = _known(max, self._greatest, extremes["max"])
        self._zeros += int((numbers == 0).sum())
        self._negatives += int((numbers < 0).sum())
        # Chan, Golub and LeVeque (1979): the mean and squared deviations of two parts together.
        with np.errstate(over="ignore", invalid="ignore"):
            rows, mean = len(numbers), float(numbers.mean())
            step, together = mean - self._mean, self._rows + rows
            self._squares += float(((numbers - mean) ** 2).sum()) + step * step * self._rows * rows / together
        self._mean += step * rows / together
        self._rows = together

    def finish(self) -> dict[str, Any]:
        odd = {what: rows for what, rows in self._odd.items() if rows}
        if not self._rows:
            return {"distinct": 0, "odd": odd}
        return {**_counted(self._tally), "odd": odd, "numbers": self._numbers()}

    def _numbers(self) -> Numbers:
        numbers, weights = self._weighted()
        whole = bool((numbers == np.floor(numbers)).all())
        return Numbers(
            least=_number(self._least),
            greatest=_number(self._greatest),
            mean=self._mean,
            deviation=math.sqrt(self._squares / self._rows),
            zeros=self._zeros,
            negatives=self._negatives,
            quantiles=quantiles(numbers, weights),
            bins=bins(numbers, weights, rows=self._rows, whole=whole),
            is_exact=self._tally.is_exact,
        )

    def _weighted(self) -> tuple[Any, Any]:
        """The numbers in ascending order with the rows each stands for: all of them if counted, else the sample."""
        if not self._tally.is_exact:
            sample = self._sample.numbers()
            return sample, np.ones(len(sample))
        values, rows = self._tally.values()
        numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        order = np.argsort(numbers, kind="stable")
        return numbers[order], rows[order]


def _counted(tally: Tally) -> dict[str, Any]:
    values, rows = tally.values()
    pairs = zip(values[:TOP].to_pylist(), rows[:TOP].tolist(), strict=True)
    top = tuple(Count(value=_number(value), rows=count) for value, count in pairs)
    return {"distinct": tally.distinct(), "is_exact": tally.is_exact, "shortfall": tally.shortfall, "top": top}


def _known(choose: Any, one: Any, other: Any) -> Any:
    return other if one is None else choose(one, other)


def _number(value: Any) -> Any:
    """A value as JSON has it: decimals as floats."""
    return value if isinstance(value, str | int | float | bool) else float(value)

"""What is gathered of a table: one gatherer a column, and which days have nulls."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mage_project.quality.report.columns import Gatherer, OtherGatherer, gatherer
from mage_project.quality.report.profile import ColumnProfile, Profile
from mage_project.quality.report.times import FIRST_DAY, LAST_DAY, day_name, days_of

#: Days of which a column's nulls are counted.
_DAYS = 2_000


class Gathered:
    """What is known of the rows so far. Columns may come and go from batch to batch: a missing one counts as null."""

    def __init__(self, time_column: str | None) -> None:
        self.time_column = time_column
        self._rows = 0
        self._types: dict[str, str] = {}
        self._gatherers: dict[str, Gatherer] = {}
        self._arrow: dict[str, pa.DataType] = {}
        self._valid: Counter[str] = Counter()
        self._nulls_by_day: dict[str, Counter[int]] = {}

    def add(self, part: pa.Table) -> None:
        """Take in the rows of a table."""
        self._rows += part.num_rows
        days = self._days_of(part)
        for name, column in zip(_names(part), part.columns, strict=True):
            array = plain(column)
            self._valid[name] += len(array) - array.null_count
            if array.null_count and days is not None:
                self._count_nulls(name, array, *days)
            self._gather(name, array.drop_null() if array.null_count else array)

    def finish(self, *, month_column: str | None = None, months: tuple[tuple[str, Profile], ...] = ()) -> Profile:
        """The profile of the rows so far."""
        columns = tuple(self._column(name) for name in self._types)
        return Profile(
            rows=self._rows, columns=columns, time_column=self.time_column, month_column=month_column, months=months
        )

    def _gather(self, name: str, array: Any) -> None:
        if pa.types.is_null(array.type):
            self._types.setdefault(name, "null")
            return
        if name not in self._gatherers:
            self._gatherers[name], self._arrow[name] = gatherer(array.type), array.type
            self._types[name] = str(array.type)
        if array.type != self._arrow[name]:
            try:
                array = array.cast(self._arrow[name])
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                self._gatherers[name] = OtherGatherer()
                self._types[name] = f"{self._arrow[name]}, then {array.type}"
        self._gatherers[name].add(array)

    def _days_of(self, part: pa.Table) -> tuple[Any, Any] | None:
        """The days of the time column, and for each row the place of its day among them."""
        if self.time_column is None or self.time_column not in part.column_names:
            return None
        days, places = np.unique(days_of(plain(part[self.time_column])), return_inverse=True)
        return days, places

    def _count_nulls(self, name: str, array: Any, days: Any, places: Any) -> None:
        rows = np.bincount(places[array.is_null().to_numpy(zero_copy_only=False)], minlength=len(days))
        counter = self._nulls_by_day.setdefault(name, Counter())
        for place in np.flatnonzero(rows).tolist():
            day = int(days[place])
            if FIRST_DAY <= day <= LAST_DAY and (day in counter or len(counter) < _DAYS):
                counter[day] += int(rows[place])

    def _column(self, name: str) -> ColumnProfile:
        gathered = self._gatherers.get(name) or OtherGatherer()
        nulls_by_day = sorted(self._nulls_by_day.get(name, {}).items())
        return ColumnProfile(
            name=name,
            type=self._types[name],
            kind=gathered.kind,
            nulls=self._rows - self._valid[name],
            nulls_by_day={day_name(day): rows for day, rows in nulls_by_day},
            **gathered.finish(),
        )


def plain(column: Any) -> Any:
    """A chunked column as one array; dictionaries, runs and extension types as what they stand for."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    if pa.types.is_dictionary(array.type):
        return plain(array.dictionary_decode())
    return plain(pc.run_end_decode(array)) if pa.types.is_run_end_encoded(array.type) else array


def _names(part: pa.Table) -> list[str]:
    """The columns' names, made different where they are not."""
    seen: Counter[str] = Counter()
    names = []
    for name in part.column_names:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names

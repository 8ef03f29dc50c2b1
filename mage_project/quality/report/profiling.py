"""Makes a profile of a stream of Arrow batches, in one pass and bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pyarrow as pa

from mage_project.errors import UsageError, did_you_mean
from mage_project.quality.report.gathering import Gathered, plain
from mage_project.quality.report.months import Months, is_month_key
from mage_project.quality.report.profile import Profile

_BATCH_ROWS = 65_536
#: Words in the names of columns that say when a row came to be.
_WHEN = re.compile(r"start|begin|creat|event|occur|order|request|arriv", re.IGNORECASE)


def profile(batches: Iterable[pa.Table | pa.RecordBatch], *, time_column: str | None = None) -> Profile:
    """The profile of all the batches. Of several months it has the last two by themselves, too.

    `time_column`: the column of times that rows are shown by; without it the first that is found by type and name.
    """
    profiler = Profiler(time_column=time_column)
    for batch in batches:
        profiler.add(batch)
    return profiler.finish()


class Profiler:
    """Is fed tables or record batches, and finished. What it keeps does not grow with the rows."""

    def __init__(self, *, time_column: str | None = None) -> None:
        self._time_column = time_column
        self._whole = Gathered(None)
        self._months: Months | None = None

    def add(self, batch: pa.Table | pa.RecordBatch) -> None:
        """Take in the rows of a batch. Raises UsageError for a `time_column` that has no times."""
        table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
        if not table.num_rows:
            self._whole.add(table)
            return
        if self._months is None:
            self._whole.time_column = _time_column(table.schema, self._time_column)
            self._months = Months(_month_column(table))
        for part in _parts(table):
            self._months.add(part, self._whole)
            self._whole.add(part)

    def finish(self) -> Profile:
        """The profile of everything that was added."""
        months = self._months or Months(None)
        return self._whole.finish(month_column=months.column, months=months.finish())


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    if table.num_rows <= _BATCH_ROWS:
        yield table
        return
    for start in range(0, table.num_rows, _BATCH_ROWS):
        yield table.slice(start, _BATCH_ROWS)


def _time_column(schema: pa.Schema, asked: str | None) -> str | None:
    """The column to show rows by: timestamps before dates, then what its name says, then the first."""
    times = [field for field in schema if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)]
    names = [str(field.name) for field in times if schema.names.count(field.name) == 1]
    if asked is not None and asked not in names:
        raise UsageError(f"there is no column of times '{asked}'.{did_you_mean(asked, names)}", hint=", ".join(names))
    if asked is not None or not names:
        return asked
    stamps = [name for name in names if pa.types.is_timestamp(schema.field(name).type)]
    return next((name for name in stamps if _WHEN.search(name)), (stamps or names)[0])


def _month_column(table: pa.Table) -> str | None:
    """The column of dates with nothing but firsts of months, the one with "month" in its name before others."""
    found = None
    for field in table.schema:
        is_named = "month" in field.name.lower()
        is_date = pa.types.is_date(field.type) or (pa.types.is_timestamp(field.type) and is_named)
        if not is_date or table.schema.names.count(field.name) > 1 or (found is not None and not is_named):
            continue
        keys = plain(table[field.name])
        if keys.null_count < len(keys) and is_month_key(keys):
            if is_named:
                return str(field.name)
            found = str(field.name)
    return found

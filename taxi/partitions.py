"""Writing a stream of trips as Parquet files, one folder for each day."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

GROUP_ROWS = 60_000  # that wait until they are a row group of some 3 MB, packed
FILE_GROUPS = 64  # four million rows: until it closes, a writer keeps a kilobyte for each column of each row group
WAITING_ROWS = 300_000  # about 50 MB, however many days the trips are spread over
OPEN_FILES = 200
#: Of a writer. Arrow lets the dictionary of a column grow to a megabyte, and what it looks values up in to eight.
PACKED: dict[str, Any] = {"compression": "zstd", "dictionary_pagesize_limit": 1 << 17}
NO_DATE = "__HIVE_DEFAULT_PARTITION__"  # how Hive, Spark and BigQuery call the folder of the nulls

Day = dt.date | None


def write_partitions(frames: Iterable[pd.DataFrame], folder: Path, column: str) -> None:
    """Write the rows to `<folder>/<column>=YYYY-MM-DD/part-0.parquet`, without that column itself.

    `column` is its name or how the name ends. Where there is none such but a time of that name (pickup_datetime for
    pickup_date), the dates are those of the times; else ValueError.
    Rows keep their order, and the same rows in the same frames give the same bytes. Memory is bounded by
    WAITING_ROWS. A day that comes back after OPEN_FILES others, or has more than FILE_GROUPS row groups, gets a
    further file, part-1 and so on.
    """
    days: _Days | None = None
    for frame in frames:
        frame = _with_dates(frame, column)
        schema = days.schema if days else pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
        days = days or _Days(folder, _column(schema.names, column), schema)
        with _named(folder):
            days.add(pa.Table.from_pandas(frame, schema, preserve_index=False))
    if days:
        with _named(folder):
            days.close()


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Say of a disk's errors where they happened and what to do."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(
            error.errno,
            f"{folder}: the files for the lake could not be written ({reason}). "
            "Make room there, or name another folder in TMPDIR",
        ) from error


def _with_dates(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The frame itself, or with the column of dates that it lacks."""
    times = column.removesuffix("date") + "datetime"
    named = [name for name in frame.columns if str(name).endswith(times)]
    if not named or any(str(name).endswith(column) for name in frame.columns):
        return frame
    dates = frame[named[0]].astype(pd.ArrowDtype(pa.date32()))
    return frame.assign(**{named[0].removesuffix(times) + column: dates})


def _column(names: list[str], ending: str) -> str:
    for name in names:
        if name.endswith(ending):
            return name
    raise ValueError(f"no column to partition by: none of {', '.join(names)} ends in {ending!r}")


class _Days:
    """The rows that wait for each day, and the files that are open."""

    def __init__(self, folder: Path, column: str, schema: pa.Schema) -> None:
        self.schema = schema
        self._folder = folder
        self._column = column
        self._file_schema = schema.remove(schema.get_field_index(column))
        self._waiting: dict[Day, list[pa.Table]] = {}
        self._rows: dict[Day, int] = {}
        self._open: dict[Day, pq.ParquetWriter] = {}
        self._parts: dict[Day, int] = {}
        self._groups: Counter[Day] = Counter()

    def add(self, trips: pa.Table) -> None:
        dates = trips[self._column]
        days = pc.unique(dates).to_pylist()
        for day in days:
            rows = trips.drop_columns([self._column])
            if len(days) > 1:  # of one day nothing is copied: other stores may wait with the same rows
                rows = rows.filter(pc.is_null(dates) if day is None else pc.equal(dates, pa.scalar(day, dates.type)))
            self._waiting.setdefault(day, []).append(rows)
            self._rows[day] = self._rows.get(day, 0) + rows.num_rows
            if self._rows[day] >= GROUP_ROWS:
                self._write(day)
        while sum(self._rows.values()) > WAITING_ROWS:
            self._write(max(self._rows, key=lambda day: self._rows[day]))

    def _write(self, day: Day) -> None:
        rows = pa.concat_tables(self._waiting.pop(day))
        del self._rows[day]
        self._file(day).write_table(rows, row_group_size=rows.num_rows)
        self._groups[day] += 1
        if self._groups[day] % FILE_GROUPS == 0:
            self._open.pop(day).close()

    def _file(self, day: Day) -> pq.ParquetWriter:
        if day not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._open.pop(next(iter(self._open))).close()
            part = self._parts[day] = self._parts.get(day, -1) + 1
            path = self._folder / f"{self._column}={day or NO_DATE}" / f"part-{part}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[day] = pq.ParquetWriter(path, self._file_schema, **PACKED)
        return self._open[day]

    def close(self) -> None:
        for day in list(self._waiting):
            self._write(day)
        for file in self._open.values():
            file.close()

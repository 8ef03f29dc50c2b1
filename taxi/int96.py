"""Times in Parquet's INT96, as Spark and other old writers have them: a day, and the nanosecond in it.

Arrow reads them in nanoseconds, and years before 1678 or after 2261 then come out as other ones, without a word. In
microseconds they are right, and what is finer is cut off without a word. So they are read in microseconds, and compared
with the nanoseconds where these can be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MICROSECONDS = {"coerce_int96_timestamp_unit": "us"}
_LAST = 2**63 // 1000 - 1  # microseconds from 1970 that have nanoseconds in 64 bits


def int96_names(schema: pq.ParquetSchema) -> set[str]:
    """The names of the columns that are INT96."""
    columns = (schema.column(place) for place in range(len(schema)))
    return {column.path for column in columns if column.physical_type == "INT96"}


def first_fraction(path: Path, group: int, names: Iterable[str], batch_rows: int) -> tuple[str, int] | None:
    """The first time of a row group that microseconds do not hold: its column and its place, or None.

    Raises Arrow's errors for a file that is damaged.
    """
    for name in names:
        wanted = {"batch_size": batch_rows, "row_groups": [group], "columns": [name]}
        with pq.ParquetFile(path, **MICROSECONDS) as rough, pq.ParquetFile(path) as fine:
            before = 0
            for coarse, exact in zip(rough.iter_batches(**wanted), fine.iter_batches(**wanted), strict=True):
                place = pc.index(_differ(coarse.column(0), exact.column(0)), True).as_py()
                if place >= 0:
                    return name, before + place
                before += coarse.num_rows
    return None


class Nanoseconds:
    """A column of a row group in nanoseconds, read beside its batches in microseconds."""

    def __init__(self, path: Path, group: int, name: str, batch_rows: int, read_bytes: int) -> None:
        self._batches = self._read(path, group, name, batch_rows, read_bytes)
        self._next = pa.array([], pa.timestamp("ns"))

    def take_fractions(self, coarse: pa.Array) -> tuple[pa.Array, int]:
        """The column's next times, null where microseconds do not hold them; and how many those are.

        Raises Arrow's errors for a file that is damaged.
        """
        while len(self._next) < len(coarse):
            if (more := next(self._batches, None)) is None:
                raise pa.ArrowInvalid("it has more times in microseconds than in nanoseconds")
            self._next = pa.concat_arrays([self._next, more])
        exact, self._next = self._next[: len(coarse)], self._next[len(coarse) :]
        lost = pc.fill_null(_differ(coarse, exact), False)
        return pc.if_else(lost, None, coarse), pc.sum(lost, min_count=0).as_py()

    @staticmethod
    def _read(path: Path, group: int, name: str, batch_rows: int, read_bytes: int) -> Iterator[pa.Array]:
        with pq.ParquetFile(path, buffer_size=read_bytes, pre_buffer=False) as fine:
            for batch in fine.iter_batches(batch_rows, row_groups=[group], columns=[name]):
                yield batch.column(0)


def _differ(coarse: pa.Array, exact: pa.Array) -> pa.Array:
    """For each time whether its nanoseconds are not those of its microseconds, where 64 bits can say."""
    micros = coarse.cast(pa.int64())
    sayable = pc.and_(pc.less_equal(micros, _LAST), pc.greater_equal(micros, -_LAST))
    nanos = pc.multiply(pc.if_else(sayable, micros, 0), 1000)
    return pc.and_(sayable, pc.not_equal(nanos, exact.cast(pa.int64())))

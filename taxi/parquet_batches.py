"""From a month's Parquet to Arrow tables with the declared types, at most 40,000 rows at a time.

A row group is decoded page by page, so that neither its size nor the file's decides how much memory is needed.
Nothing is taken from statistics: they may be wrong, and only the rows count.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from taxi.batches import Batch
from taxi.casts import REFUSALS, cast, cast_what_fits, check_meaning, described, first_refused
from taxi.columns import DOLLARS, PARQUET, WALL_TIME, Service
from taxi.contents import check_ends
from taxi.contracts import Contract
from taxi.files import TripFile
from taxi.formats import AGAIN, ENCRYPTED
from taxi.int96 import MICROSECONDS, Nanoseconds, first_fraction, int96_names
from taxi.kinds import LEAVE_OUT
from taxi.layout import Found, layout_of
from taxi.words import AS_NULL, CORRECT, quoted

BATCH_ROWS = 40_000
BATCH_BYTES = 3_000_000  # frames of 24 columns have some 16,000 rows
VALUE_BYTES = 8
READ_BYTES = 1 << 16  # of each column at a time
_DAMAGES = (pa.ArrowException, OSError, MemoryError, ValueError, KeyError, UnicodeError)


class ParquetMonth:
    """A month's Parquet, its footer read and checked."""

    def __init__(self, file: TripFile, service: Service, contract: Contract) -> None:
        """Raises ValueError for a footer that the contract refuses, and for what is no Parquet."""
        self._file = file
        check_ends(file.path, file.label)
        with self._opened() as parquet, self._explained():
            fields = list(parquet.schema_arrow)
            self._promised = [parquet.metadata.row_group(place).num_rows for place in range(parquet.num_row_groups)]
            self._rows = parquet.metadata.num_rows
            int96 = int96_names(parquet.schema)
        found = [Found(name=field.name, kind=field.type) for field in fields]
        self.layout = layout_of(found, service, file.month.month, PARQUET, contract, file.label)
        self._raw = {own: column.name for own, column in zip(self.layout.names, found, strict=True)}
        self._declared = {column.name for column in service.columns}
        self._int96 = {own: raw for own, raw in self._raw.items() if own in self.layout.reads and raw in int96}
        self._refuse_other_meanings({column.name: column.kind for column in found})
        self._batch_rows = max(1, min(BATCH_ROWS, BATCH_BYTES // (VALUE_BYTES * len(self.layout.reads))))

    def batches(self) -> Iterator[Batch]:
        """The file's rows; at least one batch, which has no rows where the file has none.

        Raises ValueError before the iterator ends: naming file, row, column and value of the first that does not
        fit its type, or saying what is wrong with the file.
        """
        rows = 0
        with self._opened() as parquet:
            for place, promised in enumerate(self._promised):
                before = rows
                self._refuse_fractions(place, before)
                exact = self._exact_times(place)
                for batch in self._group(parquet, place):
                    yield self._cast(batch, rows, exact)
                    rows += batch.num_rows
                self._check_rows(rows - before, promised, f"row group {place + 1}")
        self._check_rows(rows, self._rows, "the file")
        if not rows:
            warnings.warn(f"{self._file.label}: the month has columns and no rows", stacklevel=2)
            yield Batch(read=pa.schema(self.layout.reads.items()).empty_table())

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        with self._explained():
            parquet = pq.ParquetFile(
                self._file.path,
                buffer_size=READ_BYTES,
                pre_buffer=False,
                page_checksum_verification=True,
                **MICROSECONDS,
            )
        with parquet:
            yield parquet

    @contextmanager
    def _explained(self, where: str = "") -> Iterator[None]:
        """Say of Arrow's errors which file they are of. Arrow has no class of its own for a damaged file."""
        try:
            yield
        except _DAMAGES as error:
            reason = " ".join(str(error).split())[:200]
            damage = ENCRYPTED if "decrypt" in reason.lower() else f"the Parquet file is damaged ({reason}). {AGAIN}"
            raise ValueError(f"{self._file.label}{where}: {damage}") from None

    def _group(self, parquet: pq.ParquetFile, place: int) -> Iterator[pa.RecordBatch]:
        """The rows of one row group, with the columns that are read."""
        names = [self._raw[name] for name in self.layout.reads]
        try:
            yield from parquet.iter_batches(self._batch_rows, row_groups=[place], columns=names)
        except _DAMAGES:
            for name in names:
                with self._explained(f", row group {place + 1}, column {name}"):
                    for _ in parquet.iter_batches(self._batch_rows, row_groups=[place], columns=[name]):
                        pass
            with self._explained(f", row group {place + 1}"):
                raise

    def _refuse_other_meanings(self, kinds: dict[str, pa.DataType]) -> None:
        """Raise ValueError for the first column whose type has no values of the one to read it as."""
        for name, kind in self.layout.reads.items():
            if self._is_lenient(name):
                continue
            try:
                check_meaning(kinds[self._raw[name]], kind)
            except REFUSALS as error:
                found, reason = kinds[self._raw[name]], " ".join(str(error).split())[:200]
                what = f"it is {found} instead of {kind} ({reason})"
                raise ValueError(f"{self._file.label}, column {name}: {what}. {self._remedy(name)}") from None

    def _refuse_fractions(self, place: int, before: int) -> None:
        """Raise ValueError for a time in INT96 that microseconds do not hold, where it may not become null."""
        names = {raw: own for own, raw in self._int96.items() if not self._is_lenient(own)}
        with self._explained(f", row group {place + 1}"):
            found = first_fraction(self._file.path, place, names, self._batch_rows)
        if found:
            where = f"row {before + found[1] + 1:,}, column {found[0]}"
            raise ValueError(
                f"{self._file.label}, {where}: a time with nanoseconds (INT96), which {WALL_TIME} does not hold "
                f"without loss. {self._remedy(names[found[0]])}"
            )

    def _exact_times(self, place: int) -> dict[str, Nanoseconds]:
        """Of the columns in INT96 whose times become null where microseconds do not hold them."""
        return {
            own: Nanoseconds(self._file.path, place, raw, self._batch_rows, READ_BYTES)
            for own, raw in self._int96.items()
            if self._is_lenient(own)
        }

    def _is_lenient(self, name: str) -> bool:
        return self.layout.lenient and name != self.layout.pickup

    def _remedy(self, name: str) -> str:
        if name not in self._declared:
            return LEAVE_OUT
        return CORRECT if name == self.layout.pickup else AS_NULL

    def _check_rows(self, rows: int, promised: int, where: str) -> None:
        if rows != promised:
            raise ValueError(
                f"{self._file.label}: the Parquet file is damaged: {where} has {rows:,} rows and its footer "
                f"says {promised:,}. {AGAIN}"
            )

    def _cast(self, batch: pa.RecordBatch, before: int, exact: dict[str, Nanoseconds]) -> Batch:
        """The columns with the types to read them as; `before` rows of the file came before."""
        read, refused = {}, Counter[str]()
        for name, kind in self.layout.reads.items():
            array = batch.column(self._raw[name])
            finite = kind == DOLLARS and name in self._declared
            if name in exact:
                with self._explained(f", column {name}"):
                    array, refused[name] = exact[name].take_fractions(array)
            if self._is_lenient(name):
                read[name], misfits = cast_what_fits(array, kind, finite=finite)
                refused[name] += misfits
                continue
            try:
                read[name] = cast(array, kind, finite=finite)
            except REFUSALS as error:
                place = first_refused(len(array), lambda count: cast(array[:count], kind, finite=finite))  # noqa: B023
                raise ValueError(self._refusal(name, array, kind, place, before, error)) from None
        return Batch(read=pa.table(read), refused=+refused)

    def _refusal(self, name: str, array: pa.Array, kind: pa.DataType, place: int, before: int, error: Exception) -> str:
        if place == len(array):  # no single value, but all of them together
            reason = " ".join(str(error).split())[:200]
            return f"{self._file.label}, column {name}: it is {array.type} instead of {kind} ({reason}). {CORRECT}"
        where = f"{self._file.label}, row {before + place + 1:,}, column {name}"
        try:
            value = quoted(str(array[place].as_py()))
        except UnicodeDecodeError:
            return f"{where}: the text is not UTF-8. {self._remedy(name)}"
        what = f"{value} ({array.type}) is not {described(kind)} that {kind} holds without loss"
        return f"{where}: {what}. {self._remedy(name)}"

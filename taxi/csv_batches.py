"""From a month's CSV to Arrow tables with the declared types, about 40,000 rows at a time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from taxi.batches import Batch
from taxi.columns import DOLLARS, Columns, Service
from taxi.contents import text_of
from taxi.contracts import Contract
from taxi.exact import read_exactly, read_what_fits
from taxi.files import TripFile
from taxi.header import Header, read_header
from taxi.layout import Found, Layout, layout_of
from taxi.surplus import surplus_of, without_surplus
from taxi.text import BadText, Block, blocks, first_line
from taxi.words import AS_NULL, CORRECT


class CsvMonth:
    """A month's CSV, its header read and checked."""

    def __init__(self, file: TripFile, service: Service, contract: Contract) -> None:
        """Raises ValueError for a header that the contract refuses, and for what is no header."""
        self._file = file
        self._header = _header(file)
        found = [Found(name=name) for name in self._header.names]
        where = f"{file.label}, line 1"
        layout = layout_of(found, service, file.month.month, file.file_format, contract, where)
        self._surplus = surplus_of(_below(self._header, _text(file)), len(found))
        passed_over = [f"{self._surplus} empty fields behind those that the header names, passed over"]
        self.layout = replace(layout, findings=[*layout.findings, *(passed_over if self._surplus else [])])

    def batches(self) -> Iterator[Batch]:
        """The file's rows; at least one batch, which has no rows where the file has none.

        Raises ValueError before the iterator ends: naming file, line, column and value of the first row that is not
        as declared, or saying what is wrong with the file.
        """
        rows = 0
        try:
            for block in blocks(_below(self._header, _text(self._file))):
                batch = _batch(without_surplus(block, self._surplus), self.layout)
                rows += batch.rows
                if batch.rows:
                    yield batch
        except BadText as bad:
            raise ValueError(_located(bad, self._file, self._header, self.layout.pickup)) from None
        if not rows:
            warnings.warn(f"{self._file.label}: the month has a header and no rows", stacklevel=2)
            yield Batch(read=pa.schema(self.layout.reads.items()).empty_table())


def _header(file: TripFile) -> Header:
    try:
        return read_header(first_line(_text(file)), file.label)
    except BadText as bad:
        raise ValueError(f"{file.label}, line 1: {bad.what}. {CORRECT}") from None


def _text(file: TripFile) -> Iterator[bytes]:
    return text_of(file.path, file.file_format, file.label)


def _below(header: Header, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text below the header."""
    skip = header.size_bytes
    for piece in pieces:
        yield piece[skip:]
        skip = max(0, skip - len(piece))


def _batch(block: Block, layout: Layout) -> Batch:
    try:
        table = fast_table(block, layout.names, layout.reads)
    except pa.ArrowInvalid:
        return _slow_batch(block, layout)
    sums = [pc.sum(table[name]).as_py() or 0 for name, kind in layout.reads.items() if kind == DOLLARS]
    return Batch(read=table) if all(map(math.isfinite, sums)) else _slow_batch(block, layout)


def fast_table(block: Block, names: list[str], columns: Columns) -> pa.Table:
    """The block's rows: of the fields called `names` those in `columns`. Raises ArrowInvalid where Arrow is strict."""
    return pa.csv.read_csv(
        pa.BufferReader(block.text),
        pa.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block.text) + 1),
        pa.csv.ParseOptions(quote_char='"' if block.quoted else False, newlines_in_values=block.quoted),
        pa.csv.ConvertOptions(
            column_types=columns, include_columns=list(columns), null_values=[""], strings_can_be_null=True
        ),
    )


def _slow_batch(block: Block, layout: Layout) -> Batch:
    if not layout.lenient:
        return Batch(read=read_exactly(block, layout.names, layout.reads))
    table, refused = read_what_fits(block, layout.names, layout.reads, layout.pickup)
    return Batch(read=table, refused=refused)


def _located(bad: BadText, file: TripFile, header: Header, needed: str) -> str:
    """The message for `bad`, with the line that it is on: lines are counted only when one is asked for."""
    before = header.size_bytes + bad.offset
    line = 1 + bad.lines
    for piece in _text(file):
        line += piece.count(b"\n", 0, before)
        before -= len(piece)
        if before <= 0:
            break
    column = f", column {bad.column}" if bad.column else ""
    remedy = CORRECT if bad.column in (None, needed) else AS_NULL
    return f"{file.label}, line {line:,}{column}: {bad.what}. {remedy}"

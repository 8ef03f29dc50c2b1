"""From a month's file to Arrow tables with the declared types, about 40,000 rows at a time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from taxi.columns import DOLLARS, Columns
from taxi.exact import read_exactly
from taxi.files import TripFile
from taxi.header import Header, read_header
from taxi.text import BadText, Block, blocks, first_line
from taxi.unpack import unpack
from taxi.words import CORRECT, listed, quoted


def header_of(file: TripFile, columns: Columns) -> Header:
    """The file's header, checked. Raises ValueError; warns of columns that are not declared."""
    try:
        header = read_header(first_line(unpack(file.path, file.label)), columns, file.label)
    except BadText as bad:
        raise ValueError(f"{file.label}, line 1: {bad.what}. {CORRECT}") from None
    if header.unknown:
        names = listed(quoted(name) for name in header.unknown)
        warnings.warn(f"{file.label}: a new column, not loaded because no type is declared: {names}", stacklevel=2)
    return header


def batches(file: TripFile, columns: Columns, header: Header) -> Iterator[pa.Table]:
    """The file's rows; at least one table, which has no rows where the file has none.

    Raises ValueError before the iterator ends: naming file, line, column and value of the first row that is not
    as declared, or saying what is wrong with the file.
    """
    rows = 0
    try:
        for block in blocks(_below(header, unpack(file.path, file.label))):
            table = _table(block, columns, header)
            rows += table.num_rows
            if table.num_rows:
                yield table
    except BadText as bad:
        raise ValueError(_located(bad, file, header)) from None
    if not rows:
        warnings.warn(f"{file.label}: the month has a header and no rows", stacklevel=2)
        yield pa.schema(columns.items()).empty_table()


def _below(header: Header, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text below the header."""
    skip = header.size_bytes
    for piece in pieces:
        yield piece[skip:]
        skip = max(0, skip - len(piece))


def _table(block: Block, columns: Columns, header: Header) -> pa.Table:
    try:
        table = _fast(block, columns, header)
    except pa.ArrowInvalid:
        return read_exactly(block, header, columns)
    sums = [pc.sum(table[name]).as_py() or 0 for name, kind in columns.items() if kind == DOLLARS]
    return table if all(map(math.isfinite, sums)) else read_exactly(block, header, columns)


def _fast(block: Block, columns: Columns, header: Header) -> pa.Table:
    return pa.csv.read_csv(
        pa.BufferReader(block.text),
        pa.csv.ReadOptions(column_names=header.names, use_threads=False, block_size=len(block.text) + 1),
        pa.csv.ParseOptions(quote_char='"' if block.quoted else False, newlines_in_values=block.quoted),
        pa.csv.ConvertOptions(
            column_types=columns, include_columns=list(columns), null_values=[""], strings_can_be_null=True
        ),
    )


def _located(bad: BadText, file: TripFile, header: Header) -> str:
    """The message for `bad`, with the line that it is on: lines are counted only when one is asked for."""
    before = header.size_bytes + bad.offset
    line = 1 + bad.lines
    for piece in unpack(file.path, file.label):
        line += piece.count(b"\n", 0, before)
        before -= len(piece)
        if before <= 0:
            break
    column = f", column {bad.column}" if bad.column else ""
    return f"{file.label}, line {line:,}{column}: {bad.what}. {CORRECT}"

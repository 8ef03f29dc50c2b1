"""COPY in binary: Arrow tables in, bytes that Postgres reads out, a slice at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pgpq
import pyarrow as pa
import pyarrow.compute as pc
from pgpq import encoders, schema
from psycopg2 import sql

from mage_project.errors import StoreError
from mage_project.io.casting import cast
from mage_project.io.ddl import Column

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

#: Rows encoded at a time: small enough that the server starts on them while the next are being made.
SLICE_ROWS = 8_192
#: Rows cast at a time, which bounds the memory that casting a whole frame takes.
CAST_ROWS = 65_536
#: The end of the data in the binary format: what the encoder of a part writes and only the last one must.
_TRAILER_BYTES = 2


def copy(
    cursor: Cursor,
    into: sql.Composable,
    columns: Sequence[Column],
    tables: Iterable[pa.Table],
    *,
    ordinal: str | None = None,
) -> int:
    """COPY the tables into the table `into` and return the number of rows.

    The tables have the names of `columns`, in any order; their values are cast to what the columns take. `ordinal`
    names a further column that gets the number of each row, from 1. Raises StoreError for a value that does not fit,
    whatever the iterator raises, and psycopg2's errors.
    """
    source = _Source(chunk for chunk in _encoded(_rows(columns, tables, ordinal)) if chunk)
    names = [column.name for column in columns] + ([ordinal] if ordinal else [])
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        into, sql.SQL(", ").join(map(sql.Identifier, names))
    )
    try:
        cursor.copy_expert(statement, source, size=1 << 16)
    except BaseException:
        # psycopg2 reports a failing read as its own error, without the cause.
        if source.error is not None:
            raise source.error from None
        raise
    finally:
        source.close()
    return int(cursor.rowcount)


class _Source:
    """The file that psycopg2 reads: each read gives the next chunk, whatever size is asked for. It has no lines."""

    def __init__(self, chunks: Generator[bytes, None, None]) -> None:
        self._chunks = chunks
        self.error: BaseException | None = None

    def read(self, _size: int = -1) -> bytes:
        try:
            return next(self._chunks, b"")
        except BaseException as error:
            self.error = error
            raise

    readline = read

    def close(self) -> None:
        self._chunks.close()


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """Some rows as they are sent, and which of the texts are jsonb."""

    batch: pa.RecordBatch
    json: frozenset[str]


def _rows(columns: Sequence[Column], tables: Iterable[pa.Table], ordinal: str | None) -> Iterator[_Piece]:
    """Slices of the tables, cast to the columns."""
    names = [column.name for column in columns]
    json = frozenset(column.name for column in columns if column.base == "jsonb")
    done = 0
    for table in tables:
        for start in range(0, table.num_rows, CAST_ROWS):
            piece = table.slice(start, CAST_ROWS)
            arrays = [_sendable(piece.column(column.name), column, done + 1) for column in columns]
            if ordinal:
                arrays.append(pa.array(np.arange(done + 1, done + 1 + piece.num_rows, dtype="int64")))
            batch = pa.RecordBatch.from_arrays(arrays, names=[*names, ordinal] if ordinal else names)
            yield _Piece(batch=batch, json=json)
            done += piece.num_rows


def _sendable(chunked: Any, column: Column, first_row: int) -> Any:
    array = chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()
    wire = column.wire_type(array.type)
    array = cast(array, wire, column=column.name, sql=column.sql, first_row=first_row)
    if wire in {pa.string(), pa.large_string()} and column.base != "jsonb":
        _refuse_nul(array, column, first_row)
    return array


def _refuse_nul(array: Any, column: Column, first_row: int) -> None:
    """Postgres cannot store a NUL in text. The server would say so too, but only once it has read everything."""
    _, offsets, data = array.buffers()
    if data is None or len(array) == 0:
        return
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    ends = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1]
    if np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].all():
        return
    found = pc.index(pc.match_substring(array, "\0"), True).as_py()
    if found >= 0:
        what = f"column '{column.name}': the text in row {first_row + found:,} has a NUL, which Postgres cannot store"
        raise StoreError(what, hint="remove it in a transformer: frame[column].str.replace('\\0', '')")


def _encoded(pieces: Iterator[_Piece]) -> Iterator[bytes]:
    """The pieces in Postgres' binary format.

    One stream has one header and one trailer. Where a decimal's scale changes from piece to piece another encoder
    goes on with it.
    """
    encoder, current = _encoder(pa.schema([]), frozenset()), None
    yield encoder.write_header()
    for piece in pieces:
        if piece.batch.schema != current:
            yield encoder.finish()[:-_TRAILER_BYTES]
            current = piece.batch.schema
            encoder = _encoder(current, piece.json)
            encoder.write_header()
        for start in range(0, piece.batch.num_rows, SLICE_ROWS):
            yield _written(encoder, piece.batch.slice(start, SLICE_ROWS))
    yield encoder.finish()


def _encoder(fields: pa.Schema, json: frozenset[str]) -> pgpq.ArrowToPostgresBinaryEncoder:
    return pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(
        fields, {field.name: _field_encoder(field, json) for field in fields}
    )


def _field_encoder(field: pa.Field, json: frozenset[str]) -> Any:
    if field.name not in json:
        return pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field)
    large = pa.types.is_large_string(field.type)
    builder = encoders.LargeStringEncoderBuilder if large else encoders.StringEncoderBuilder
    return builder.new_with_output(field, schema.Jsonb())


def _written(encoder: pgpq.ArrowToPostgresBinaryEncoder, batch: pa.RecordBatch) -> bytes:
    try:
        return encoder.write_batch(batch)
    except ValueError as error:  # a date before Postgres' first one
        raise StoreError(f"a value cannot be sent to Postgres: {error}") from error

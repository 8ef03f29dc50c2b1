"""Unpacking a .csv.gz piece by piece, and saying exactly what is wrong with one that is not whole."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from taxi.columns import CSV_GZ
from taxi.formats import AGAIN, GZIP_MAGIC, refuse_other_formats

try:
    zlib: Any = import_module("isal.isal_zlib")  # the same interface, three times as fast
except ImportError:
    zlib = import_module("zlib")

READ_BYTES = 1 << 18
PIECE_BYTES = 1 << 20  # however well a file is compressed, no more than this is unpacked at once
_GZIP = 31  # zlib's number for: a gzip header and trailer, with the checksum verified


def unpack(path: Path, label: str) -> Iterator[bytes]:
    """The unpacked bytes of a gzip file, in pieces of at most 1 MB.

    Checksum and length are verified: for a file that is not whole ValueError is raised, at the latest in place
    of the iterator's end. `label` is how messages call the file.
    """
    with path.open("rb") as file:
        data = file.read(READ_BYTES)
        refuse_other_formats(data, CSV_GZ, label)
        while data.startswith(GZIP_MAGIC):
            data = yield from _member(file, data, label)
        while data:  # tape blocks end in zeros; anything else was not written by gzip
            if data.strip(b"\0"):
                raise ValueError(f"{label}: something else follows the gzip data. {AGAIN}")
            data = file.read(READ_BYTES)


def _member(file: BinaryIO, data: bytes, label: str) -> Generator[bytes, None, bytes]:
    """One gzip stream of the file; returns the bytes that follow it."""
    unpacker = zlib.decompressobj(wbits=_GZIP)
    while True:
        try:
            piece = unpacker.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise ValueError(f"{label}: the gzip data is damaged ({error}). {AGAIN}") from None
        if piece:
            yield piece
        if unpacker.eof:
            return bytes(unpacker.unused_data) + file.read(READ_BYTES)
        data = unpacker.unconsumed_tail or file.read(READ_BYTES)
        if not data and not piece:
            raise ValueError(f"{label}: the gzip data is cut off: its end is missing. {AGAIN}")

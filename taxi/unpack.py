"""Unpacking a .csv.gz piece by piece, and saying exactly what is wrong with one that is not whole."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

try:
    zlib: Any = import_module("isal.isal_zlib")  # the same interface, three times as fast
except ImportError:
    zlib = import_module("zlib")

READ_BYTES = 1 << 18
PIECE_BYTES = 1 << 20  # however well a file is compressed, no more than this is unpacked at once
_GZIP = 31  # zlib's number for: a gzip header and trailer, with the checksum verified
_MAGIC = b"\x1f\x8b"


def unpack(path: Path, label: str) -> Iterator[bytes]:
    """The unpacked bytes of a gzip file, in pieces of at most 1 MB.

    Checksum and length are verified: for a file that is not whole ValueError is raised, at the latest in place
    of the iterator's end. `label` is how messages call the file.
    """
    with path.open("rb") as file:
        data = file.read(READ_BYTES)
        refuse_other_formats(data, label)
        while data.startswith(_MAGIC):
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


AGAIN = "Take the file from its source again."


def refuse_other_formats(start: bytes, label: str) -> None:
    """Raise ValueError, naming what the file is, unless its first bytes are gzip's."""
    if not start.startswith(_MAGIC):
        raise ValueError(f"{label}: {_other_format(start)}")


def _other_format(start: bytes) -> str:
    if not start:
        return f"the file is empty. {AGAIN}"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "this is a web page (HTML) under the file's name, not a month: open the address in a browser to see why."
    if start.startswith(b"PAR1"):
        return "this is Parquet, not gzip: this loader reads the course's .csv.gz files."
    if start.startswith(b"PK"):
        return "this is a zip archive, not gzip: unpack it and pack the CSV with `gzip`."
    if start.split(b"\n", 1)[0].count(b",") > 5:
        return "this is not packed: pack it with `gzip`."
    return f"this is not a gzip file: it starts with {start[:12]!r}. {AGAIN}"

"""What is in a month's file: the text of a CSV; and whether the file is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taxi.columns import CSV, CSV_GZ, PARQUET
from taxi.formats import AGAIN, ENCRYPTED, ENCRYPTED_MAGIC, PARQUET_MAGIC, refuse_other_formats
from taxi.unpack import PIECE_BYTES, unpack

_FOOTER_BYTES = 8  # the length of the footer, and the magic


def text_of(path: Path, file_format: str, label: str) -> Iterator[bytes]:
    """The text of a CSV, in pieces of at most 1 MB. Raises ValueError for a file that is not whole."""
    if file_format == CSV_GZ:
        yield from unpack(path, label)
        return
    with path.open("rb") as file:
        piece = file.read(PIECE_BYTES)
        refuse_other_formats(piece, CSV, label)
        while piece:
            yield piece
            piece = file.read(PIECE_BYTES)


def check_whole(path: Path, file_format: str, label: str) -> None:
    """Raise ValueError unless the file is whole, as far as that can be told without looking at its rows."""
    if file_format == PARQUET:
        check_ends(path, label)
    else:
        for _ in text_of(path, file_format, label):
            pass


def check_ends(path: Path, label: str) -> None:
    """Raise ValueError unless the file begins and ends as Parquet, with a footer that is inside it.

    Format: https://parquet.apache.org/docs/file-format/.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        refuse_other_formats(file.read(len(PARQUET_MAGIC)), PARQUET, label)
        file.seek(max(0, size - _FOOTER_BYTES))
        end = file.read()
    if end.endswith(ENCRYPTED_MAGIC):
        raise ValueError(f"{label}: {ENCRYPTED}")
    if not end.endswith(PARQUET_MAGIC) or size < len(PARQUET_MAGIC) + _FOOTER_BYTES:
        raise ValueError(f"{label}: the Parquet file is cut off: its footer is missing. {AGAIN}")
    if int.from_bytes(end[:4], "little") > size - len(PARQUET_MAGIC) - _FOOTER_BYTES:
        raise ValueError(f"{label}: the Parquet file is damaged: its footer is longer than the file. {AGAIN}")

"""Cutting unpacked CSV text into blocks of whole records, so that each block can be parsed by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BLOCK_BYTES = 2_500_000  # about 35,000 trips: large enough to be fast, small enough to hold several
RECORD_BYTES = 1_000_000  # a trip has about a hundred


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some whole records. `start` is the place of the first byte in the unpacked text; `quoted` whether `"` occurs."""

    text: memoryview
    start: int
    quoted: bool


class BadText(ValueError):
    """Text that is not a month's CSV: what is wrong, and where.

    The trouble is `lines` lines below the byte at `offset` of the unpacked text, in `column` where that is known.
    """

    def __init__(self, what: str, *, offset: int, lines: int = 0, column: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.offset = offset
        self.lines = lines
        self.column = column


def blocks(pieces: Iterable[bytes]) -> Iterator[Block]:
    """The records of the text that comes in `pieces`, about 3 MB at a time. Raises BadText."""
    start, waiting, size = 0, list[bytes](), 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= BLOCK_BYTES:
            text = b"".join(waiting)
            end = _checked_end(text, start)
            if end:
                yield Block(text=memoryview(text)[:end], start=start, quoted=b'"' in text)
            start, waiting, size = start + end, [text[end:]], size - end
    text = b"".join(waiting)
    end = _checked_end(text, start)
    if text.count(b'"', end) % 2:
        raise BadText('a quoted field begins with " and never ends', offset=start + end)
    if text:
        yield Block(text=memoryview(text), start=start, quoted=b'"' in text)


def first_line(pieces: Iterable[bytes]) -> bytes:
    """The first line of the text, with its line end where it has one. Raises BadText."""
    line = b""
    for piece in pieces:
        line += piece
        if b"\n" in piece or len(line) > RECORD_BYTES:
            break
    line = line[: line.find(b"\n") + 1] or line
    _checked_end(line, 0)
    return line


def _checked_end(text: bytes, start: int) -> int:
    """Where the last whole record ends. Raises BadText for a NUL byte and for a record that is too long."""
    if (nul := text.find(b"\0")) >= 0:
        raise BadText("a NUL byte", offset=start + nul)
    end = _end_of_records(text)
    if len(text) - end > RECORD_BYTES:
        quote = (
            'a quoted field begins with " and does not end within' if text.count(b'"', end) % 2 else "no line end in"
        )
        raise BadText(f"{quote} {RECORD_BYTES:,} bytes", offset=start + end)
    return end


def _end_of_records(text: bytes) -> int:
    """The place after the last line end that is not inside quotes; 0 where there is none."""
    end = text.rfind(b"\n") + 1
    if b'"' not in text:
        return end
    quotes = text.count(b'"', 0, end)
    while quotes % 2:
        earlier = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', earlier, end)
        end = earlier
    return end

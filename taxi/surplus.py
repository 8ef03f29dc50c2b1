"""Empty fields at the end of every line of a CSV, more than its header names.

Some of TLC's CSVs have two: green ones of 2013 to 2015, yellow ones of 2016 (`junk1, junk2` in
github.com/toddwschneider/nyc-taxi-data).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from taxi.text import RECORD_BYTES, Block


def surplus_of(pieces: Iterable[bytes], columns: int) -> int:
    """How many fields the first row has behind those of the `columns`, if they are empty; else 0."""
    text = b""
    for piece in pieces:
        text = (text + piece).lstrip(b"\r\n")
        if b"\n" in text or len(text) > RECORD_BYTES:
            break
    line = text.partition(b"\n")[0].rstrip(b"\r")
    behind = [] if b'"' in line else line.split(b",")[columns:]
    return 0 if any(behind) else len(behind)


def without_surplus(block: Block, surplus: int) -> Block:
    """The block without so many empty fields at the end of each line. Other lines stay as they are."""
    if not surplus or block.quoted:  # inside quotes they would be a part of a value
        return block
    stripped = re.sub(rb",{%d}(?=\r?(?:\n|\Z))" % surplus, b"", block.text)
    return replace(block, text=memoryview(stripped))

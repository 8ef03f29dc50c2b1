"""The words that the yellow files of 2009 and 2010 have where later ones have TLC's codes."""

from __future__ import annotations

import re

import pyarrow as pa

from taxi.columns import CODE

_NUMBER = re.compile(r"([+-]?\d{1,9})(\.0*)?")


def codes_of(texts: pa.Array, codes: tuple[tuple[str, int], ...]) -> pa.Array:
    """The code of each text: of a word that is in `codes`, whatever its case, or of a number; else null."""
    encoded = texts.dictionary_encode()
    known = dict(codes)
    values = [_code(text, known) for text in encoded.dictionary.to_pylist()]
    return pa.array(values, CODE).take(encoded.indices)


def _code(text: str, known: dict[str, int]) -> int | None:
    word = text.strip().casefold()
    number = _NUMBER.fullmatch(word)
    return int(number[1]) if number else known.get(word)

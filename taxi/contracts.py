"""What happens when a file's columns are not those that are declared: evolve, freeze or discard.

The words are dlt's (https://dlthub.com/docs/general-usage/schema-contracts). They are said for all, or for each of:

- unknown: a column that is not declared. evolve loads it, discard does not.
- changed: another type than the declared one and those that TLC is known to write. evolve casts where nothing is
  lost and else refuses the file, discard makes null of what does not fit, and counts it.
- missing: a column that files of this month should have. evolve and discard load it as null.

freeze refuses the file. The column of the pickup time is needed under each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taxi.words import did_you_mean

EVOLVE, FREEZE, DISCARD = "evolve", "freeze", "discard"
WORDS = (EVOLVE, FREEZE, DISCARD)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The word for each kind of surprise."""

    unknown: str = EVOLVE
    changed: str = EVOLVE
    missing: str = EVOLVE

    def __getitem__(self, aspect: str) -> str:
        return str(getattr(self, aspect))


ASPECTS = tuple(Contract.__dataclass_fields__)


def contract_of(given: str | Mapping[str, str] | Contract) -> Contract:
    """The contract that a variable says: one word for all, or a mapping of some of unknown, changed and missing.

    Raises ValueError for other words.
    """
    if isinstance(given, Contract):
        return given
    words = dict(given) if isinstance(given, Mapping) else dict.fromkeys(ASPECTS, str(given))
    for aspect, word in words.items():
        if aspect not in ASPECTS:
            raise ValueError(f"contract: {aspect!r} is none of {', '.join(ASPECTS)}.{did_you_mean(aspect, ASPECTS)}")
        if word not in WORDS:
            raise ValueError(f"contract: {word!r} is none of {', '.join(WORDS)}.{did_you_mean(word, WORDS)}")
    return Contract(**words)

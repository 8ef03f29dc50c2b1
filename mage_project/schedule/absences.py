"""How long triggers have been gone from their files: an editor, or a checkout, takes one away for a second."""

from __future__ import annotations

import time
from collections.abc import Iterable

#: A trigger that is gone for less is taken for one that comes back.
LINGERS_S = 60.0


class Absences:
    """Since when triggers, by pipeline and name, have been gone: by a clock that nobody sets."""

    def __init__(self, lingers_s: float = LINGERS_S) -> None:
        self._lingers_s = lingers_s
        self._since: dict[tuple[str, str], float] = {}

    def end(self, there: Iterable[tuple[str, str]]) -> None:
        """Those are there, or nobody can tell."""
        for key in there:
            self._since.pop(key, None)

    def is_for_good(self, key: tuple[str, str]) -> bool:
        """Whether the trigger, which is not there now, has been gone for so long that it will not come back."""
        now = time.monotonic()
        return now - self._since.setdefault(key, now) >= self._lingers_s

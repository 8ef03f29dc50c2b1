"""Takes notice of runs that crashed together with their commands, whoever had started them."""

from __future__ import annotations

import time
from collections.abc import Callable

from mage_project.history import crashes
from mage_project.history.stores import Row, Store

#: Seconds between two looks.
_LOOK_S = 5.0


class Crashes:
    """What a scheduler that leads asks the history for now and then; `told` is given the row of each such run, once."""

    def __init__(self, store: Store, told: Callable[[Row], None]) -> None:
        self._store, self._told = store, told
        self._next_look = 0.0

    def look(self) -> None:
        """Raises `HistoryUnavailable`."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_S
        for row in crashes.lost(self._store):
            if closed := crashes.close(self._store, row["run_id"]):
                self._told(closed)

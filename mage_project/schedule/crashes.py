"""Takes notice of runs that crashed together with their commands, and of backfills, whoever had started them."""

from __future__ import annotations

import time
from collections.abc import Callable

from mage_project.history import backfills, crashes
from mage_project.history.stores import Row, Store

#: Seconds between two looks.
_LOOK_S = 5.0


class Crashes:
    """What a scheduler that leads asks the history for now and then.

    `told` is given the row of each such run, once, and `told_of_backfill` that of each such backfill.
    """

    def __init__(
        self,
        store: Store,
        told: Callable[[Row], None],
        told_of_backfill: Callable[[Row], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._told, self._told_of_backfill, self._clock = store, told, told_of_backfill, clock
        self._silence = crashes.Silence(store, clock=clock)
        self._silence_of_backfills = crashes.Silence(store, of=backfills.OPEN, clock=clock)
        self._next_look = clock()

    def look(self) -> None:
        """Raises `HistoryUnavailable`."""
        if self._clock() < self._next_look:
            return
        self._next_look = self._clock() + _LOOK_S
        for row in self._silence.lost():
            closed = crashes.close(self._store, row)
            if closed and not crashes.is_old(closed):
                self._told(closed)
        for row in self._silence_of_backfills.lost():
            if crashed := backfills.crash(self._store, row):
                self._told_of_backfill(crashed)

"""Who is told what a scheduler does."""

from __future__ import annotations

from typing import Protocol

from mage_project.history.facts import storable
from mage_project.history.schedules import DueRun
from mage_project.history.stores import Row
from mage_project.schedule.children import Child


class Watcher(Protocol):
    """Told of everything that a scheduler does."""

    def leading(self) -> None: ...

    def standing_by(self) -> None: ...

    def started(self, run: DueRun, child: Child) -> None: ...

    def ended(self, run: DueRun) -> None: ...

    def late(self, run: DueRun, sla_s: int) -> None: ...

    def crashed(self, run: Row) -> None: ...

    def backfill_crashed(self, backfill: Row) -> None: ...

    def trouble(self, what: str) -> None: ...

    def stopping(self, signum: int) -> None: ...


class Troubles:
    """Tells a watcher what goes wrong, and not at every look anew."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._last: str | None = None
        self._told: dict[tuple[str, str], str] = {}

    def tell(self, trouble: str) -> None:
        """Each trouble once, until there was another one."""
        if trouble != self._last:
            self._last = trouble
            self._watcher.trouble(storable(trouble))

    def tell_of(self, key: tuple[str, str], trouble: str) -> None:
        """Each trouble of a trigger once, until it has another one, or its files change (`forget`)."""
        if self._told.get(key) != trouble:
            self._told[key] = trouble
            self._watcher.trouble(storable(trouble))

    def forget(self) -> None:
        self._told.clear()

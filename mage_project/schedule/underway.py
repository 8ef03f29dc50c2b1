"""The runs that a scheduler has started, until they have ended."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from mage_project.history.schedules import DueRun
from mage_project.schedule.agenda import Begun
from mage_project.schedule.children import Child
from mage_project.schedule.launches import launch

#: How long it is listened to what they tell.
_PAUSE_S = 0.1
#: A run: pipeline, trigger, and when it was due.
Key = tuple[str, str, float]


class Underway:
    """Each of them a process of its own. A container of their keys."""

    def __init__(self, root: Path, *, local: bool) -> None:
        self._root, self._local = root, local
        self._children: dict[Key, tuple[DueRun, Child]] = {}
        self._selector = selectors.DefaultSelector()
        self._late: set[Key] = set()

    def __len__(self) -> int:
        return len(self._children)

    def __contains__(self, key: object) -> bool:
        return key in self._children

    def start(self, begun: Begun) -> Child:
        """Start a run. Raises OSError where there are no more processes, or a disk is full."""
        child = launch(self._root, begun.entry, begun.run, begun.occasion, local=self._local)
        self._selector.register(child.socket, selectors.EVENT_READ, child)
        self._children[begun.run.key] = (begun.run, child)
        return child

    def hear(self) -> Iterator[tuple[DueRun, Child, int]]:
        """Wait a moment for what they tell; those that have ended, each with its exit code."""
        if not self._children:
            time.sleep(_PAUSE_S)
        for key, _ in self._selector.select(_PAUSE_S) if self._children else ():
            key.data.hear()
        for run, child in list(self._children.values()):
            if (code := child.exit_code()) is not None:
                self._selector.unregister(child.socket)
                del self._children[run.key]
                self._late.discard(run.key)
                child.close()
                yield run, child, code

    def late(self, now: float, slas_s: Mapping[tuple[str, str], int | None]) -> Iterator[tuple[DueRun, int]]:
        """Those that go on longer than the SLA of their trigger, each once. `now`: seconds since 1970."""
        for key, (run, _) in self._children.items():
            sla_s = slas_s.get(key[:2])
            if sla_s and key not in self._late and now - run.due_at > sla_s:
                self._late.add(key)
                yield run, sla_s

    def stop(self) -> None:
        """Tell all of them: a run rolls back, or finishes its commit, at the first time; it ends at the third."""
        for _, child in self._children.values():
            child.stop()

    def close(self) -> None:
        """Leave nothing running."""
        self.stop()
        for _, child in self._children.values():
            child.close()
        self._children.clear()
        self._selector.close()

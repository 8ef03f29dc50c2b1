"""A run and its observers, each in a thread of its own: no run fails for them, and none waits for them for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mage_project.history.facts import RunFacts, masked_texts
from mage_project.history.patience import Patience
from mage_project.observers.course import Course, Observer

#: How long the end of a run waits for all of them, while they wait for others.
PATIENCE_S = 10.0


class Observation:
    """One run and its observers."""

    def __init__(
        self,
        observers: Iterable[Observer],
        facts: RunFacts,
        *,
        again: str,
        upstream: Mapping[str, Sequence[str]],
        began: float | None = None,
    ) -> None:
        """`began`: when it began, in seconds since 1970, where that is not now."""
        self._facts, self._again, self._upstream = facts, again, upstream
        self._began = time.time() if began is None else began
        self._watches = [_Watch(each, facts, self._began) for each in observers]

    def __bool__(self) -> bool:
        return bool(self._watches)

    def end(
        self,
        record: Mapping[str, Any],
        exit_code: int,
        spans: Mapping[str, tuple[float, float]],
        *,
        at: float | None = None,
    ) -> Iterator[str]:
        """What the observers have to say. Never raises, and ends in time. `at`: when it ended, if that is not now."""
        if not self._watches:
            return
        course = Course(
            facts=self._facts,
            record=masked_texts(record),
            exit_code=exit_code,
            began=self._began,
            ended=time.time() if at is None else at,
            again=self._again,
            upstream=self._upstream,
            spans=spans,
        )
        for watch in self._watches:
            watch.end(course)
        for watch in self._watches:
            yield from watch.said()


class _Watch:
    """One observer in a thread of its own."""

    def __init__(self, observer: Observer, facts: RunFacts, at: float) -> None:
        self._observer, self._facts, self._at = observer, facts, at
        self._over = threading.Event()
        self._course: Course | None = None
        self._lines: list[str] | None = None
        self._thread = threading.Thread(target=self._watch, name=observer.name, daemon=True)
        self._thread.start()

    def end(self, course: Course) -> None:
        self._course = course
        self._patience = Patience(self._thread, PATIENCE_S)
        self._over.set()

    def said(self) -> list[str]:
        self._patience.wait()
        silent = f"warning: {self._observer.name}: no end within {PATIENCE_S:g} s"
        return [silent] if self._lines is None else self._lines

    def _watch(self) -> None:
        try:
            self._observer.began(self._facts, self._at)
            self._over.wait()
            assert self._course is not None  # noqa: S101 - set before the event is
            lines = [*self._observer.ended(self._course)]
        except Exception as error:  # noqa: BLE001 - whatever an observer does, it is told of, and the run goes its way
            lines = [f"warning: {self._observer.name}: {type(error).__name__}: {error}".splitlines()[0]]
        self._lines = lines

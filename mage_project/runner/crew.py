"""Runs units, side by side those that do not wait for each other.

A unit that has nothing beside it runs in the thread that asks; the others have a thread each. After a failure nothing
new begins: what runs beside it goes on to its end. A signal, and a timeout of the run, stop everything.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from itertools import islice

from mage_project.errors import MageProjectError
from mage_project.runner import speech
from mage_project.runner.interrupts import Interrupts
from mage_project.runner.plan import Unit
from mage_project.runner.stopping import Stoppable, Stopped

#: How many blocks run side by side where nobody has said.
AT_ONCE = 4
#: How long a thread that was told to stop may take: the rest of a call into a library, and rolling back.
_FAREWELL_S = 5.0
_SLICE_S = 0.2


class Crew:
    """The units of one run, each taken once."""

    def __init__(
        self,
        units: Sequence[Unit],
        take: Callable[[Unit], None],
        *,
        needs: Mapping[int, Set[int]],
        at_once: int,
        goes_on: bool,
        interrupts: Interrupts,
        told: Callable[[MageProjectError], None],
    ) -> None:
        """`needs`: which units, by their places, must have ended before another one begins.

        `goes_on`: whether new units begin when one has failed. `told` hears of a failure while others go on.
        """
        self._units, self._take, self._told = units, take, told
        self._at_once, self._goes_on, self._interrupts = at_once, goes_on, interrupts
        self._needs = needs
        self._waiting = list(range(len(units)))
        self._ended: set[int] = set()
        self._working: dict[int, Stoppable] = {}
        self._change = threading.Event()
        self._errors: dict[int, MageProjectError] = {}

    def work(self) -> list[MageProjectError]:
        """Take every unit whose turn comes. Returns how they failed, in the order of the units."""
        try:
            while self._step():
                pass
        except BaseException:
            self._stop_all()
            raise
        return [self._errors[place] for place in sorted(self._errors)]

    def _step(self) -> bool:
        """Begin what can, and wait for something to end. False when nothing is left."""
        ready = self._ready() if self._goes_on or not self._errors else []
        if not ready and not self._working:
            return False
        if not self._working and (len(ready) == 1 or self._at_once == 1):
            self._alone(ready[0])
            return True
        for place in ready[: self._at_once - len(self._working)]:
            self._start(place)
        self._wait()
        return True

    def _ready(self) -> list[int]:
        """The first that may begin: as many as there is room for, and one more, to see whether one is alone."""
        found = (place for place in self._waiting if self._needs[place] <= self._ended)
        return list(islice(found, self._at_once + 1))

    def _alone(self, place: int) -> None:
        self._waiting.remove(place)
        try:
            self._take(self._units[place])
        except MageProjectError as error:
            self._fail(place, error)
        self._ended.add(place)

    def _start(self, place: int) -> None:
        self._waiting.remove(place)
        unit, context = self._units[place], contextvars.copy_context()
        thread = Stoppable(
            partial(context.run, self._take, unit),
            name=unit.uuids[0],
            began=self._interrupts.working,
            ended=self._change.set,
        )
        self._working[place] = thread
        thread.start()

    def _wait(self) -> None:
        self._change.wait(_SLICE_S)  # in slices, for the deadlines, and for threads that cannot say that they ended
        self._change.clear()
        for place, thread in list(self._working.items()):
            thread.check_time()
            if thread.has_ended or thread.seconds_late > _FAREWELL_S:
                del self._working[place]
                self._ended.add(place)
                speech.attend()
                self._note(place, thread)

    def _note(self, place: int, thread: Stoppable) -> None:
        error = thread.error if thread.has_ended else thread.left_behind()
        if isinstance(error, MageProjectError):
            self._fail(place, error)
        elif error is not None:
            raise error

    def _fail(self, place: int, error: MageProjectError) -> None:
        self._errors[place] = error
        if self._goes_on or self._working:
            self._told(error)

    def _stop_all(self) -> None:
        """Stop every thread, and wait until it has: a commit is ended, a call that hangs is not waited for."""
        for thread in self._working.values():
            thread.stop(Stopped)
        until = time.monotonic() + _FAREWELL_S
        while any(self._is_awaited(thread, until) for thread in self._working.values()):
            self._change.wait(_SLICE_S)
            self._change.clear()

    def _is_awaited(self, thread: Stoppable, until: float) -> bool:
        return not thread.has_ended and (thread.is_committing or time.monotonic() < until)

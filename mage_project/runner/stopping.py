"""A thread that another one can stop: between two of its Python instructions, and never in the middle of a commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class TimedOut(BaseException):
    """What runs has taken longer than it may. Not an `Exception`, so that no block swallows it by mistake."""


class Stopped(BaseException):
    """The run ends, and with it what runs side by side. Not an `Exception`, as above."""


class OverBudget(BaseException):
    """The process holds more memory than it may. Not an `Exception`, as above."""


class Stoppable:
    """Work in a thread of its own.

    Once it was told to stop it begins no commit. A call into a library that does not come back cannot be ended: then
    the thread is left behind, and ends when the call does, or with the process.
    """

    def __init__(
        self,
        work: Callable[[], object],
        *,
        name: str,
        began: Callable[[Stoppable], None],
        ended: Callable[[], None],
    ) -> None:
        """`began` and `ended` are called in the thread itself."""
        self._work_to_do, self._began, self._tell = work, began, ended
        self._told: type[BaseException] | None = None
        self._shields = 0
        self._deadline: float | None = None
        self._late: Callable[[], BaseException] | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        #: What the work has raised.
        self.error: BaseException | None = None
        self.is_done = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        return self.is_done or not self._thread.is_alive()

    @property
    def _ident(self) -> int:
        return self._thread.ident or 0

    @property
    def is_committing(self) -> bool:
        return self._shields > 0

    @property
    def seconds_late(self) -> float:
        """Seconds since it should have stopped, because its time was over, and has not."""
        deadline = self._deadline
        return time.monotonic() - deadline if deadline and self._told and not self._shields else 0.0

    def check_time(self) -> None:
        """Stop what has taken longer than it may."""
        if self._deadline is not None and self._told is None and time.monotonic() > self._deadline:
            self.stop(TimedOut)

    def left_behind(self) -> BaseException | None:
        """The error of what does not stop. It will not commit any more."""
        self.stop(Stopped)
        return self._late() if self._late else None

    def stop(self, why: type[BaseException]) -> None:
        """Have `why` raised in the thread: at once, or when its commit has ended."""
        with self._lock:
            before, self._told = self._told, why
            self._stop.set()
            if before is None and not self._shields and not self.is_done:
                raise_in(self._ident, why)

    # -- in the thread itself

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Inside, the thread is not stopped; one that was told to does not get in."""
        with self._lock:
            if self._told is not None:
                raise self._told
            self._shields += 1
        try:
            yield
        finally:
            with self._lock:
                self._shields -= 1
        if self._told is not None:
            raise self._told

    @contextmanager
    def limited(self, seconds: float | None, late: Callable[[], BaseException] | None) -> Iterator[None]:
        """Have `TimedOut` raised when the block has taken longer; `late` makes the error of one that does not end.

        One that catches it and goes on has failed when it ends.
        """
        if seconds is not None:
            self._late, self._deadline = late, time.monotonic() + seconds
        is_late = False
        try:
            yield
        finally:
            with self._lock:
                self._deadline = None
                if self._told is TimedOut:  # what comes next (a callback, another attempt) is not late
                    raise_in(self._ident, None)
                    self._told = None
                    self._stop.clear()
                    is_late = True
        if is_late:
            raise TimedOut

    def pause(self, seconds: float) -> None:
        if self._stop.wait(seconds) and self._told is not None:
            raise self._told

    def _work(self) -> None:
        try:
            try:
                self._began(self)
                self._work_to_do()
            except BaseException as error:  # noqa: BLE001 - it is raised again, in the thread that waits for this one
                self.error = error
            with self._lock:
                self.is_done = True
                raise_in(self._ident, None)
        except Stopped as error:  # it came when everything was done
            self.error = self.error or error
        self._tell()


def raise_in(thread: int, why: type[BaseException] | None) -> None:
    """Have it raised at the next instruction of the thread; None takes back what has not been raised yet."""
    import ctypes  # takes its time, and few runs need it

    exception = ctypes.py_object(why) if why is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)

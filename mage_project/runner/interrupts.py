"""Ctrl-C, SIGTERM and a closed terminal: they end a run where it stands, but never in the middle of a commit."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from mage_project.runner.stopping import Stoppable, TimedOut, raise_in

__all__ = ["SIGNALS", "Interrupted", "Interrupts", "TimedOut"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The run was told to stop. Not an `Exception`, so that no block swallows it by mistake."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


class Interrupts:
    """Turns the first signal into `Interrupted` in the main thread; a third one ends the process at once.

    Blocks that run side by side have threads of their own, which the main thread stops.
    """

    def __init__(self, *, shielding: Callable[[bool], None] = lambda _begins: None) -> None:
        """`shielding` hears of the beginning and the end of every commit."""
        self._shielding = shielding
        self._pid = os.getpid()
        self._shielded = False
        self._pending: int | None = None
        self._count = 0
        self._is_late = False
        self._mine = threading.local()
        self._gate = threading.Lock()

    def working(self, thread: Stoppable) -> None:
        """From now on, what is asked for in this thread is asked of `thread`."""
        self._mine.thread = thread

    @property
    def is_in_thread(self) -> bool:
        """Whether what asks runs beside others, in a thread of its own."""
        return self._thread is not None

    @property
    def _thread(self) -> Stoppable | None:
        return getattr(self._mine, "thread", None)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signals inside the block (in the main thread; elsewhere they stay as they are)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def shielded(self) -> AbstractContextManager[None]:
        """Signals wait until the block has ended (a commit is under way)."""
        return self._thread.shielded() if self._thread else self._shielded_here()

    @contextmanager
    def _shielded_here(self) -> Iterator[None]:
        if self._is_late:  # a block has caught it, and went on: what it made is not committed
            raise TimedOut
        with self._gate:
            self._shielded = True
        self._shielding(True)
        try:
            yield
        finally:
            self._shielded = False
            self._shielding(False)
        if self._pending is not None:
            signum, self._pending = self._pending, None
            raise Interrupted(signum)

    @contextmanager
    def limited(self, seconds: float | None, late: Callable[[], BaseException] | None = None) -> Iterator[None]:
        """Raise `TimedOut` when the block has taken longer; never while shielded.

        Python acts on a signal between two of its own instructions: a call into a library that never comes back is
        not ended. In a thread of its own it is left behind, with the error that `late` makes. What catches it (a bare
        `except`) goes on, and has failed when it ends.
        """
        if self._thread is not None:
            with self._thread.limited(seconds, late):
                yield
            return
        if seconds is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, self._time_out)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            was_late, self._is_late = self._is_late, False
        if was_late:
            raise TimedOut

    def end(self, thread: int, why: type[BaseException]) -> bool:
        """Have `why` raised in the main thread of the run, by another one. False in the middle of a commit."""
        with self._gate:
            if not self._shielded:
                raise_in(thread, why)
            return not self._shielded

    def pause(self, seconds: float) -> None:
        """Sleep, unless the thread is to stop."""
        if self._thread is not None:
            self._thread.pause(seconds)
        else:
            time.sleep(seconds)

    def _time_out(self, _signum: int, _frame: FrameType | None) -> None:
        if not self._shielded:
            self._is_late = True
            raise TimedOut

    def _handle(self, signum: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a process that a block has forked: it ends as any other
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
            return
        self._count += 1
        if self._count >= 3:
            os._exit(128 + signum)
        if self._shielded or self._count > 1:
            self._pending = signum
            return
        raise Interrupted(signum)

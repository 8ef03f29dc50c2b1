"""Ctrl-C, SIGTERM and a closed terminal: they end a run where it stands, but never in the middle of a commit."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The run was told to stop. Not an `Exception`, so that no block swallows it by mistake."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


class TimedOut(BaseException):
    """What runs has taken longer than it may. Not an `Exception`, so that no block swallows it by mistake."""


class Interrupts:
    """Turns the first signal into `Interrupted` in the main thread; a third one ends the process at once."""

    def __init__(self) -> None:
        self._shielded = False
        self._pending: int | None = None
        self._count = 0

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

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Signals wait until the block has ended (a commit is under way)."""
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
        if self._pending is not None:
            signum, self._pending = self._pending, None
            raise Interrupted(signum)

    @contextmanager
    def limited(self, seconds: float | None) -> Iterator[None]:
        """Raise `TimedOut` in the main thread when the block has taken longer; never while shielded.

        Python acts on a signal between two of its own instructions: a call into a library that never comes back is
        not ended.
        """
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

    def _time_out(self, _signum: int, _frame: FrameType | None) -> None:
        if not self._shielded:
            raise TimedOut

    def _handle(self, signum: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count >= 3:
            os._exit(128 + signum)
        if self._shielded or self._count > 1:
            self._pending = signum
            return
        raise Interrupted(signum)

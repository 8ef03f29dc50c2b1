"""How long somebody waits for a thread that may hang; what a busy machine keeps it from doing does not count."""

from __future__ import annotations

import threading
import time
from pathlib import Path

#: A thread that goes on working is given up when it has worked for so many times the patience.
MOST = 4
#: A thread that has just run is asked again after this time at the earliest.
_PAUSE_S = 0.02


class Patience:
    """Waits for a thread until it has idled for `seconds` from now, because it waits for a store or a server."""

    def __init__(self, thread: threading.Thread, seconds: float) -> None:
        self._thread, self._seconds = thread, seconds
        self._begun, self._before = time.monotonic(), _spent(thread)

    def wait(self) -> bool:
        """Whether the thread has ended."""
        while self._thread.is_alive() and (left := self._left()) > 0:
            self._thread.join(max(left, _PAUSE_S))
        return not self._thread.is_alive()

    def _left(self) -> float:
        ran, queued = (max(0.0, now - before) for now, before in zip(_spent(self._thread), self._before, strict=True))
        idle = time.monotonic() - self._begun - ran - queued
        return min(self._seconds - idle, MOST * self._seconds - ran)


def _spent(thread: threading.Thread) -> tuple[float, float]:
    """The seconds for which the thread has run, and has waited for a processor. 0 where the system does not tell.

    Linux tells in nanoseconds: https://docs.kernel.org/scheduler/sched-stats.html
    """
    try:
        ran, queued, *_ = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()
        return int(ran) / 1e9, int(queued) / 1e9
    except (OSError, ValueError):  # it has ended meanwhile
        return 0.0, 0.0

"""What a block may change of how its process hears and goes on, put back at its end. In Mage each has its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mage_project.history import testament
from mage_project.runner.interrupts import SIGNALS


@contextmanager
def restored() -> Iterator[None]:
    """Inside, a block runs. Afterwards signals, recursion and tracing are what they were.

    A signal that it has kept from the run comes then. Files, the folder and the environment stay as the block leaves
    them.
    """
    depth, traced, profiled = sys.getrecursionlimit(), sys.gettrace(), sys.getprofile()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        yield
    finally:
        sys.settrace(traced)
        sys.setprofile(profiled)
        if sys.getrecursionlimit() != depth:
            sys.setrecursionlimit(depth)
        if threading.current_thread() is threading.main_thread():
            changed = [number for number in SIGNALS if signal.getsignal(number) is not handlers[number]]
            for number in changed:
                signal.signal(number, handlers[number])
            was_deaf = signal.pthread_sigmask(signal.SIG_SETMASK, mask) != mask
            if (changed or was_deaf) and testament.mine and testament.mine.asked:
                os.kill(os.getpid(), testament.mine.asked)

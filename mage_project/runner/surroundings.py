"""What a block may change of the process that it runs in, put back when it has ended. In Mage each has its own."""

from __future__ import annotations

import builtins
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mage_project.runner.interrupts import SIGNALS
from mage_project.runner.namespace import BLOCKS


@contextmanager
def restored(told: Callable[[str], None]) -> Iterator[None]:
    """Inside, a block runs. Afterwards names are built in, and signals, recursion and tracing are, what they were.

    `told` is given what a block is to know of it. Files, the folder and the environment stay as the block leaves them.
    """
    names, depth = dict(vars(builtins)), sys.getrecursionlimit()
    traced, profiled = sys.gettrace(), sys.getprofile()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        yield
    finally:
        sys.settrace(traced)
        sys.setprofile(profiled)
        changed = _put_back(names)
        if sys.getrecursionlimit() != depth:
            sys.setrecursionlimit(depth)
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                if signal.getsignal(number) is not handler:
                    signal.signal(number, handler)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)  # a signal that has waited comes now
    if changed:
        told(f"it has replaced what is built into Python ({', '.join(changed)}): that is put back")


def _put_back(names: Mapping[str, Any]) -> list[str]:
    """Put back what a block has replaced with something of its own, or taken away. What libraries do is theirs."""
    now = vars(builtins)
    changed = [name for name, value in names.items() if now.get(name, _ABSENT) is not value and _is_of_block(now, name)]
    for name in changed:
        now[name] = names[name]
    return sorted(changed)


def _is_of_block(now: Mapping[str, Any], name: str) -> bool:
    return name not in now or str(getattr(now[name], "__module__", None)).startswith(BLOCKS)


_ABSENT = object()

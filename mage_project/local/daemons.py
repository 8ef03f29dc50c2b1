"""Background processes, each known by a lock file: locked while it or a child of it lives, holding its pid.

So whether a daemon lives is never guessed from a pid that may be stale or somebody else's by now.
The watcher imports this: nothing heavy here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Sequence
from pathlib import Path

from mage_project.local.locks import is_held

#: The file descriptor of the lock file in every daemon.
LOCK_DESCRIPTOR = 9

_PAUSE_S = 0.005
_REPEAT_S = 0.25  # a daemon that is just being born does not hear the first signal


def pid(lock_path: Path) -> int | None:
    """The pid that a daemon's lock file holds; only a living daemon's means anything."""
    try:
        return int(lock_path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def stop(lock_path: Path, signals: Sequence[tuple[int, float]]) -> bool:
    """Ends a daemon and waits until it and its children are gone; False if there is none.

    `signals` are pairs of a signal and the seconds that it has to work, before the next one is sent.
    Raises TimeoutError if none of them works.
    """
    if not is_held(lock_path):
        return False
    for signal_number, patience_s in signals:
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            _send(signal_number, lock_path)
            if _is_gone(lock_path, _REPEAT_S):
                return True
    raise TimeoutError(errno.ETIMEDOUT, "A server of the local stack does not end", str(lock_path))


def _send(signal_number: int, lock_path: Path) -> None:
    target = pid(lock_path)
    if target is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, signal_number)


def _is_gone(lock_path: Path, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while is_held(lock_path):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_S)
    return True

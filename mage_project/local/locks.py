"""File locks: the kernel lets go of them when their holder dies, however it dies.

A lock belongs to the open file, not to the process, so it is also held by every process that inherited the file.
The watcher imports this: nothing heavy here.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE_S = 0.01


def open_lock(path: Path) -> int:
    """A file descriptor for locking `path`; programs that are executed and children that are forked have it not."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    _open.add(descriptor)
    return descriptor


def close_lock(descriptor: int) -> None:
    """Closes what `open_lock` opened; the lock is gone unless a daemon took it over."""
    _open.discard(descriptor)
    os.close(descriptor)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Locks without waiting; False where somebody else's lock is in the way (an own one is then lost)."""
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(descriptor: int, *, shared: bool = False, timeout_s: float) -> bool:
    """Locks as soon as possible; False after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not try_lock(descriptor, shared=shared):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_S)
    return True


@contextmanager
def held(path: Path, *, shared: bool = False, timeout_s: float = 180) -> Iterator[int]:
    """Holds the lock of `path` in the block; raises TimeoutError after `timeout_s` seconds."""
    descriptor = open_lock(path)
    try:
        if not wait_for_lock(descriptor, shared=shared, timeout_s=timeout_s):
            raise TimeoutError(
                errno.ETIMEDOUT, "Another process has been using the local stack for too long", str(path)
            )
        yield descriptor
    finally:
        close_lock(descriptor)


def is_held(path: Path) -> bool:
    """Whether any process holds the lock of `path` for itself."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)


_open: set[int] = set()


def _close_in_child() -> None:
    for descriptor in list(_open):
        close_lock(descriptor)


# A forked child would share its parent's locks, and a worker that lives longer would hold them for ever.
os.register_at_fork(after_in_child=_close_in_child)

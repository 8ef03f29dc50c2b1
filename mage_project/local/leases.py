"""A process's use of a stack: as long as somebody holds a lease, nobody stops the servers."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

from mage_project.local.folders import StackFolder
from mage_project.local.launches import Program, launch
from mage_project.local.locks import close_lock, held, is_held, open_lock, try_lock, wait_for_lock

_TIMEOUT_S = 180.0


class Lease:
    """A shared lock on the users' lock file; ends with the process at the latest."""

    def __init__(self, folder: StackFolder) -> None:
        """Takes the lease, after waiting for servers that are being stopped right now; raises TimeoutError."""
        self._owner = os.getpid()
        self._descriptor = open_lock(folder.users_lock)
        if not wait_for_lock(self._descriptor, shared=True, timeout_s=_TIMEOUT_S):
            self.end()
            message = "The local stack has been stopping for too long"
            raise TimeoutError(errno.ETIMEDOUT, message, str(folder.users_lock))

    @property
    def is_held(self) -> bool:
        """False after `end`, and in a forked child: the lease stays the parent's."""
        return self._owner == os.getpid()

    def becomes_last(self) -> bool:
        """Makes the lease exclusive: True if nobody else has one, and nobody gets one until `end`.

        If it is False the lease is over but for `end`; servers that somebody else was stopping are then stopped.
        """
        if try_lock(self._descriptor):
            return True
        wait_for_lock(self._descriptor, shared=True, timeout_s=_TIMEOUT_S)
        return False

    def end(self) -> None:
        """Gives the lease up."""
        if self.is_held:
            self._owner = 0
            close_lock(self._descriptor)


def ensure_watcher(folder: StackFolder) -> None:
    """Starts the watcher unless there is one; the caller holds a lease and the start lock."""
    lock = open_lock(folder.watcher_lock)
    try:
        if try_lock(lock):
            launch(_watcher(folder), lock=lock, log=folder.log("watcher"))
    finally:
        close_lock(lock)


def _watcher(folder: StackFolder) -> Program:
    # Without the site packages, which it needs not, it is there in half the time.
    package_root = Path(__file__).resolve().parents[2]
    return Program(
        argv=(sys.executable, "-P", "-S", "-m", "mage_project.local.watcher", str(folder.path)),
        folder=Path("/"),
        environment={**os.environ, "PYTHONPATH": str(package_root)},
    )


def await_watchers_end(folder: StackFolder, timeout_s: float = 2.0) -> None:
    """Waits a moment until the watcher, which has nothing to do any more, has seen so."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with held(folder.start_lock):  # nobody asks for the watcher's lock to start one meanwhile
            if not is_held(folder.watcher_lock):
                return
        time.sleep(0.005)

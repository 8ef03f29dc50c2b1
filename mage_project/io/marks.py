"""Files beside a target that are on their way: whose they are, and which are nobody's any more.

A process that writes `.trips.csv.1f2e3d4c.part` holds a lock on `.trips.csv.1f2e3d4c.lock`, which ends with the process
however that ends. What has a lock file that nobody holds was left by a run that was killed, on whatever machine.
"""

from __future__ import annotations

import fcntl
import glob
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

_OURS = re.compile(r"\..+\.[0-9a-f]{8}\.(part|old|lock)")


def is_on_its_way(name: str) -> bool:
    """Whether a file of this name is no data yet, or no longer."""
    return _OURS.fullmatch(name) is not None


class Mark:
    """Says that this process is at work on `target`, until `close`. `beside` and `old` are names for its files."""

    def __init__(self, target: Path) -> None:
        _sweep(target)
        stem = f".{target.name}.{secrets.token_hex(4)}"
        self.beside, self.old = target.with_name(f"{stem}.part"), target.with_name(f"{stem}.old")
        self._lock = target.with_name(f"{stem}.lock")
        self._number = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # a file system without locks: what is left there stays
            fcntl.flock(self._number, fcntl.LOCK_EX)

    def close(self) -> None:
        if self._number >= 0:
            self._lock.unlink(missing_ok=True)
            os.close(self._number)
            self._number = -1


def _sweep(target: Path) -> None:
    """Remove what killed runs have left beside the target."""
    for lock in target.parent.glob(f".{glob.escape(target.name)}.*.lock"):
        if is_on_its_way(lock.name):
            with suppress(OSError):  # somebody holds it, or has just removed it, or it is another user's
                _remove(lock)


def _remove(lock: Path) -> None:
    number = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for ending in (".part", ".old"):
            lock.with_suffix(ending).unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
    finally:
        os.close(number)

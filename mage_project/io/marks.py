"""Files beside a target that are on their way: whose they are, and which are nobody's any more.

A process that writes `.trips.csv.1f2e3d4c.part` holds a lock on `.trips.csv.1f2e3d4c.lock`, which ends with the process
however that ends. What has a lock file that nobody holds was left by a run that was killed: on this machine, or on
another where the file system's locks reach that far.

`.old` is what the target was before a commit that still waits, and goes with that commit: where a killed run has left
it, and its `.part` has become the target, the commit was never made, and the target becomes `.old` again.
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
        self._number, self._lock = _locked(target)
        while not os.fstat(self._number).st_nlink:  # another export has swept it before it was locked
            os.close(self._number)
            self._number, self._lock = _locked(target)
        self.beside, self.old = self._lock.with_suffix(".part"), self._lock.with_suffix(".old")

    def announce(self) -> None:
        """Write down what `beside` is, before it becomes the target: nothing that comes later is ever put back."""
        os.write(self._number, _identity(self.beside))

    def close(self) -> None:
        if self._number >= 0:
            self._lock.unlink(missing_ok=True)
            os.close(self._number)
            self._number = -1


def _locked(target: Path) -> tuple[int, Path]:
    lock = target.with_name(f".{target.name}.{secrets.token_hex(4)}.lock")
    number = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with suppress(OSError):  # a file system without locks: what is left there stays
        fcntl.flock(number, fcntl.LOCK_EX)
    return number, lock


def _identity(path: Path) -> bytes:
    """A rename leaves it as it is."""
    status = path.stat()
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}".encode()


def _sweep(target: Path) -> None:
    """Undo what killed runs have not committed, and remove what they have left beside the target."""
    for lock in target.parent.glob(f".{glob.escape(target.name)}.*.lock"):
        if is_on_its_way(lock.name):
            with suppress(OSError):  # somebody holds it, or has just removed it, or it is another user's
                _undo(lock, target)


def _undo(lock: Path, target: Path) -> None:
    number = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        beside, old = lock.with_suffix(".part"), lock.with_suffix(".old")
        if old.exists() and not beside.exists() and _is_still(target, os.read(number, 100)):
            old.replace(target)
        old.unlink(missing_ok=True)  # first: beside `.part` it may be half a copy
        beside.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
    finally:
        os.close(number)


def _is_still(target: Path, announced: bytes) -> bool:
    """Whether the target is what the killed run has made it, or nothing: what others wrote since is theirs."""
    return not target.exists() or _identity(target) == announced

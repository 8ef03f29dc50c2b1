"""Downloaded files, kept: asked about before each use, resumed where a download broke off, checked before use."""

from __future__ import annotations

import contextlib
import hashlib
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from taxi.download import Download, Kept, kept_file
from taxi.remotes import Progress, Remote, Unreachable

TRIES = 5
TRIES_WITH_COPY = 2
PAUSE_S = 0.5  # before the second try; twice as long before each further one


@dataclass(frozen=True, kw_only=True)
class Cache:
    """A folder of downloads."""

    folder: Path

    def fetch(self, remote: Remote, name: str, *, progress: Progress | None = None) -> Kept:
        """The file, downloaded unless the copy that is here is still what the server has.

        Where the server cannot be reached the copy is used, with a warning. Several processes may ask at once.
        Raises OSError or ValueError; what was here before is then as it was.
        """
        place = self.folder / hashlib.sha256(remote.shown.encode()).hexdigest()[:12] / name
        self._make(place.parent)
        with _alone(place):
            kept = kept_file(place)
            try:
                return self._newest(remote, kept, Download(place, progress))
            except Unreachable as error:
                if kept is None:
                    raise ConnectionError(f"{error} (tried {TRIES} times). The next run goes on from here.") from None
                day = time.strftime("%Y-%m-%d %H:%M", time.localtime(place.stat().st_mtime))
                warnings.warn(f"{error}: using the copy of {day} as it is", stacklevel=2)
                return kept

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{self.folder}: the folder for downloads could not be made ({error.strerror}). "
                "Name another one in TAXI_CACHE",
            ) from None

    def _newest(self, remote: Remote, kept: Kept | None, download: Download) -> Kept:
        """Try until it is here. A try that got further than those before it starts the count again."""
        failures, farthest = 0, download.size_bytes
        while True:
            try:
                return download.attempt(remote, kept)
            except Unreachable as error:
                failures = 1 if download.size_bytes > farthest else failures + 1
                farthest = max(farthest, download.size_bytes)
                if failures >= (TRIES_WITH_COPY if kept else TRIES):
                    raise
                pause_s = PAUSE_S * 2 ** (failures - 1)
                time.sleep(pause_s if error.after_s is None else error.after_s)


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Wait until no other process downloads to `place`. The lock goes with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows: there a second process that downloads the same file fails at the rename
        yield
        return
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Stopping the servers of a stack. The watcher uses it too: import nothing heavy here."""

from __future__ import annotations

from collections.abc import Sequence
from signal import SIGINT, SIGKILL, SIGQUIT, SIGTERM

from mage_project.local import daemons
from mage_project.local.folders import StackFolder

#: Server → what to send, and the seconds to wait. Postgres: fast stop, immediate stop, kill.
SIGNALS: dict[str, Sequence[tuple[int, float]]] = {
    "bigquery": ((SIGTERM, 5), (SIGKILL, 5)),
    "gcs": ((SIGTERM, 3), (SIGKILL, 5)),
    "postgres": ((SIGINT, 60), (SIGQUIT, 10), (SIGKILL, 10)),
}


def stop_servers(folder: StackFolder, *, detached: bool) -> list[str]:
    """Stops what runs, detached servers only with `detached`; returns the names of those it stopped.

    The caller holds the start lock.
    """
    stopped = []
    for name, signals in SIGNALS.items():
        mark = folder.detached_mark(name)
        if mark.exists() and not detached:
            continue
        if daemons.stop(folder.server_lock(name), signals):
            stopped.append(name)
        mark.unlink(missing_ok=True)
    return stopped

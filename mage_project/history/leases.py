"""Whether a process that has put itself down in the history still lives, however it may have ended.

On its own machine the process table says so at once. From another machine only the heartbeat can tell.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: Seconds between two heartbeats, and after how many without one a process of another machine counts as dead.
HEARTBEAT_S = 2.0
STALE_S = 10.0
#: After how many it is lost, and people are told: a store that was away, or a machine that hung, must not alarm them.
LOST_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process: its machine (or container), its number, and when it began, for numbers are given out again."""

    host: str
    pid: int
    pid_started: str

    @property
    def is_here(self) -> bool:
        """Whether this machine's process table says how it stands with it."""
        return self.host == _host() and _started(self.pid) is not None

    def is_lost(self, heartbeat_at: float, now: float) -> bool:
        """Whether it is gone, and nobody who waited for it has said so: its command would have, within `STALE_S`.

        Of one that is not here this is no more than a suspicion: the store may have been away, for it as for others.
        """
        if self.is_here:
            return not self.lives(heartbeat_at, now) and abs(now - heartbeat_at) > STALE_S
        return now - heartbeat_at > LOST_S

    def lives(self, heartbeat_at: float, now: float) -> bool:
        """Whether it lives, as far as this process can tell. Both moments are seconds of the store's clock."""
        if self.host == _host() and (started := _started(self.pid)) is not None:
            return started == self.pid_started
        return abs(now - heartbeat_at) < STALE_S


def this_process() -> Holder:
    pid = os.getpid()
    return Holder(host=_host(), pid=pid, pid_started=_started(pid) or "")


@cache
def _host() -> str:
    """The machine's name, and on Linux the container's process table, in which `pid` counts."""
    name = os.uname().nodename
    with suppress(OSError):
        name = f"{name} {Path('/proc/self/ns/pid').readlink()}"
    return name


def _started(pid: int) -> str | None:
    """When the process began, in ticks since the machine's start; '' for a dead one, None where nobody can say."""
    if not Path("/proc/self/stat").exists():
        return None
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # After the name, which may hold spaces and brackets: state (field 3), ..., starttime (22). See proc_pid_stat(5).
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]

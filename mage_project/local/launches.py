"""Starting daemons: what to run, and a start that leaves nothing behind that we would have to look after."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mage_project.local.accounts import Account, spawn_options
from mage_project.local.daemons import LOCK_DESCRIPTOR

# The shell puts the program into the background and leaves at once: the daemon is nobody's child, so it never
# becomes a zombie of ours, and its pid is written down even if we are killed right now.
_LAUNCHER = f'exec {LOCK_DESCRIPTOR}<&0; "$@" </dev/null & echo $! >&{LOCK_DESCRIPTOR}'


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run, where, with which environment and as whom (None: as ourselves).

    It inherits the open `descriptors`; they are closed here when it has started.
    """

    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    account: Account | None = None
    descriptors: Sequence[int] = ()


def plain_environment() -> dict[str, str]:
    """An environment without anything of the caller's that a server might obey (PGPORT, LD_LIBRARY_PATH...)."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
    return {**kept, "HOME": "/", "LC_ALL": "C"}


def open_log(path: Path) -> BinaryIO:
    """An empty log, for its owner's eyes only: servers quote what their clients said."""
    path.touch(mode=0o600)
    return path.open("wb")


def launch(program: Program, *, lock: int, log: Path) -> None:
    """Starts a daemon in a session of its own; it takes over the locked descriptor `lock` (close it afterwards).

    What it says goes to `log`; what the last one said is kept beside it, as `.log.1`.
    """
    os.ftruncate(lock, 0)
    os.lseek(lock, 0, os.SEEK_SET)
    with contextlib.suppress(FileNotFoundError):
        log.replace(log.with_name(f"{log.name}.1"))
    with open_log(log) as sink:
        subprocess.run(
            ["/bin/sh", "-c", _LAUNCHER, "sh", *program.argv],
            stdin=lock,
            stdout=sink,
            stderr=sink,
            cwd=program.folder,
            env=program.environment,
            start_new_session=True,
            umask=0o077,
            check=True,
            pass_fds=program.descriptors,
            **spawn_options(program.account),
        )
    for descriptor in program.descriptors:
        os.close(descriptor)

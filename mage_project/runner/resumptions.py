"""Which run goes on with which: of two that would go on with the same one, one does.

A note in the folder of the first run, made before the second one does anything. It stays as long as that one goes on,
is completed, or can be resumed in its turn; else nothing has come of it, and the first run is as it was.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mage_project.errors import UsageError
from mage_project.history import private
from mage_project.history.leases import Holder, this_process
from mage_project.history.runs import named
from mage_project.history.stores import store_of
from mage_project.project.command import command

_NOTE = "resumed.json"
_NAMES = frozenset({"by", "host", "pid", "pid_started"})


def check(root: Path, run_id: str) -> None:
    """`UsageError` where another run goes on with this one, or has done so."""
    note = _note(root, run_id)
    if note is None:
        return
    by, status = note["by"], _status(root, note)
    if status == "running":
        raise UsageError(f"run {run_id} is being resumed by {by}", hint=command(root, "runs", "logs", by, "--follow"))
    if status == "completed" or _can_be_resumed(root, by):
        raise UsageError(f"run {run_id} was resumed by {by}", hint=command(root, "runs", "show", by))


def claim(root: Path, run_id: str, by: str) -> None:
    """Note that `by` goes on with the run. `UsageError` where another one does, or nothing can be noted."""
    try:
        private.folder(folder_of(root, run_id))
        with _locked(root):
            check(root, run_id)
            fresh = private.file(_path(root, run_id).with_suffix(".new"))
            fresh.write_text(json.dumps({"by": by, **asdict(this_process())}))
            fresh.rename(_path(root, run_id))
    except OSError as error:
        raise UsageError(
            f"it cannot be noted that run {run_id} is resumed: {error.strerror}",
            where=str(folder_of(root, run_id)),
            hint="make room, or have the folder writable: without a note it could be resumed twice",
        ) from error


def release(root: Path, run_id: str) -> None:
    """Nothing has come of it: the run may be resumed again."""
    with suppress(OSError):
        _path(root, run_id).unlink(missing_ok=True)


def resumed_by(root: Path, run_id: str) -> str | None:
    """The run that has gone on with the one of this name, or that begins so."""
    names = [path.parent.name for path in folder_of(root).glob(f"*/{_NOTE}")]
    notes = [_note(root, name) for name in names if name.startswith(run_id)]
    return next((note["by"] for note in notes if note), None)


def folder_of(root: Path, run_id: str = "") -> Path:
    """Where it is kept what a run leaves that has not come to its end."""
    return root / private.TOP / "resume" / run_id


def _note(root: Path, run_id: str) -> dict[str, Any] | None:
    """Who goes on with it, and in which process; None where it is not noted, or the machine went down at that."""
    with suppress(OSError, ValueError, TypeError):
        note = dict(json.loads(_path(root, run_id).read_text()))
        return {name: note[name] for name in _NAMES} if note.keys() >= _NAMES else None
    return None


def _status(root: Path, note: Mapping[str, Any]) -> str | None:
    """How it stands by the history; one of which that does not know yet may have begun just now."""
    store = store_of(root, lambda _line: None)
    run = named(store, note["by"]) if store else None
    if run is not None:
        return run.status
    holder = Holder(**{name: note[name] for name in ("host", "pid", "pid_started")})
    return "running" if holder.is_here and holder.lives(0, math.inf) else None


def _can_be_resumed(root: Path, run_id: str) -> bool:
    from mage_project.runner import beginnings, failures

    return run_id in failures.kept_runs(root) or beginnings.resuming(root, run_id) is not None


def _path(root: Path, run_id: str) -> Path:
    return folder_of(root, run_id) / _NOTE


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    number = os.open(private.file(root / private.TOP / "resume.lock"), os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)

"""Errors that a person can act on: from what a server said, or from the operating system."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mage_project.errors import ConfigError, MageProjectError, StoreError, StoreUnavailable
from mage_project.local.accounts import owner_name
from mage_project.local.folders import StackFolder

_TAIL_LINES = 12
#: What a log may contain → what to do then.
_HINTS = {
    "No space left on device": "Free some space on the disk of that folder and try again.",
    "Permission denied": "The server's user must own that folder and be able to enter its parents.",
    "incompatible with server": "The data was written by another version of Postgres: install that one.",
}


def tail(log: Path) -> str:
    """The last lines of `log`, or an empty string where there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])


def start_failure(what: str, log: Path) -> StoreError:
    """An error that shows the end of the server's log."""
    said = tail(log)
    hints = [hint for text, hint in _HINTS.items() if text in said]
    return StoreError(
        f"{what} The last lines of its log:\n{said}" if said else what,
        where=str(log),
        hint=hints[0] if hints else "Read the whole log, or start empty: move that folder away.",
    )


class MissingPart(ConfigError):
    """This machine lacks what a service needs."""


@contextmanager
def readable_errors(folder: StackFolder) -> Iterator[None]:
    """Says what a person can do about an error of the operating system."""
    try:
        yield
    except OSError as error:
        raise _readable(error, folder) from error


def _readable(error: OSError, folder: StackFolder) -> MageProjectError:
    what, where = error.strerror or str(error), str(error.filename or folder.path)
    if isinstance(error, TimeoutError):
        hint = f"See who has that file open with `fuser '{where}'` (or lsof), end it, and try again."
        return StoreUnavailable(f"{what}.", where=where, hint=hint)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError("The disk is full.", where=where, hint="Free some space and try again.")
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = f"It belongs to {_owner(Path(where))}: run this as that user, or change the owner with chown."
        return ConfigError(f"The local stack may not use its folder: {what}.", where=where, hint=hint)
    hint = "The local stack keeps its data in .mage_project of the project, so it must be able to write there."
    return ConfigError(f"The local stack cannot use its folder: {what}.", where=where, hint=hint)


def _owner(path: Path) -> str:
    for candidate in (path, *path.parents):
        try:
            return owner_name(candidate)
        except OSError:
            continue
    return "root"

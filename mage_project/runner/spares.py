"""A few open files, kept for the end of a run: a block that leaves none to open must not keep it from being told."""

from __future__ import annotations

import os
from contextlib import suppress

#: What an error and the end need at once: modules that are imported, the history, what is kept to resume.
_SPARE = 16
_files: list[int] = []


def hold() -> None:
    with suppress(OSError):
        while len(_files) < _SPARE:
            _files.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))


def give_back() -> None:
    """From now on there are files to open again."""
    while _files:
        with suppress(OSError):  # a block has closed it
            os.close(_files.pop())

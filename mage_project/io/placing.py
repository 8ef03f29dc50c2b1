"""Files that appear whole: written under a name of their own and renamed when they are done."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mage_project.io import commits


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, renamed to `path` at the end, or when the commits that wait are made.

    When the block raises, what it wrote is removed and `path` is as it was. A block that reads files as it likes
    finds the new one at once; the old one is kept beside it until the commits are made.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield beside
        _flush(beside)
    except BaseException:
        _remove(beside)
        raise
    collected = commits.current()
    if collected is None:
        beside.replace(path)
    elif collected.settles:
        old = _kept(path)
        beside.replace(path)
        collected.add(commit=lambda: _remove(old), rollback=lambda: _put_back(old, path), what=f"the file {path}")
    else:
        collected.add(commit=lambda: _rename(beside, path), rollback=lambda: _remove(beside), what=f"the file {path}")


def _kept(path: Path) -> Path:
    """The name beside `path` of what it is now; there is nothing of that name where there is no such file."""
    old = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
    if path.exists():
        try:
            old.hardlink_to(path)
        except OSError:  # not every file system has links
            shutil.copy2(path, old)
    return old


def _put_back(old: Path, path: Path) -> None:
    if old.exists():
        old.replace(path)
    else:
        _remove(path)


def _flush(path: Path) -> None:
    """The bytes are on the disk before the name is."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _rename(source: Path, target: Path) -> None:
    source.replace(target)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


class Watched:
    """What a block exports; `error` is what its iterator raised, to tell it from what the store raised."""

    def __init__(self, data: Any) -> None:
        self.error: BaseException | None = None
        self.data = self._watched(data) if isinstance(data, Iterator) else data

    def _watched(self, data: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from data
        except BaseException as error:
            self.error = error
            raise

"""Files that appear whole: written under a name of their own and renamed when they are done."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mage_project.io import commits
from mage_project.io.marks import Mark


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, renamed to `path` at the end, or when the commits that wait are made.

    When the block raises, what it wrote is removed and `path` is as it was. A block that reads files as it likes
    finds the new one at once; the old one is kept beside it until the commits are made.
    """
    mark = Mark(path)
    try:
        yield mark.beside
        _flush(mark.beside)
        _handed_over(mark, path)
    except BaseException:
        _ended(mark, lambda: _remove(mark.beside))
        raise


def _handed_over(mark: Mark, path: Path) -> None:
    """Rename the file, now or with the commits that wait."""
    collected, what = commits.current(), f"the file {path}"
    beside, old = mark.beside, mark.old

    def commit() -> None:
        _ended(mark, lambda: _rename(beside, path))

    if collected is None:
        commit()
    elif collected.settles:
        try:
            _keep(path, old)
            mark.announce()
            beside.replace(path)
        except BaseException:
            if not beside.exists():  # the signal came after the rename
                _put_back(old, path)
            _remove(old)
            raise
        collected.add(
            commit=lambda: _ended(mark, lambda: _remove(old)),
            rollback=lambda: _ended(mark, lambda: _put_back(old, path)),
            what=what,
        )
    else:
        collected.add(commit=commit, rollback=lambda: _ended(mark, lambda: _remove(beside)), what=what)


def _ended(mark: Mark, last: Callable[[], None]) -> None:
    """Do the last step; then nothing is on its way any more."""
    try:
        last()
    finally:
        mark.close()


def _keep(path: Path, old: Path) -> None:
    """Give what `path` is now another name; nothing where there is no such file."""
    if path.exists():
        try:
            old.hardlink_to(path)
        except OSError:  # not every file system has links
            shutil.copy2(path, old)


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

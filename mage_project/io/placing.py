"""Files that appear whole: written under a name of their own and renamed when they are done."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mage_project.io import commits


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, renamed to `path` at the end, or when the commits that wait are made.

    When the block raises, what it wrote is removed and `path` is as it was.
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
    else:
        collected.add(commit=lambda: _rename(beside, path), rollback=lambda: _remove(beside), what=f"the file {path}")


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

"""What the connectors to object stores share: frames from objects, files for objects, and when an object appears."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mage_project.errors import StoreError
from mage_project.io import commits, formats

if TYPE_CHECKING:
    import pandas as pd

#: How long an object's name may be, at Google and at Amazon.
KEY_BYTES = 1_024


class Upload(Protocol):
    """A file on its way to an object, which is as before until `finish`."""

    def finish(self) -> None:
        """The object is there, whole."""

    def abandon(self) -> None:
        """Let go of what was sent."""


def frame_of(
    key: str, format: str | None, limit: int | None, options: Mapping[str, Any], fetch: Callable[[Path], None]
) -> pd.DataFrame:
    """The frame in the object that `fetch` writes to a path, at most `limit` rows; `options` go to pandas' reader.

    Raises StoreError for a format that is unknown, before it fetches, and for content that cannot be read.
    """
    formats.format_of(key, format)
    commits.settle()
    with _folder() as folder:
        file = folder / "object"
        fetch(file)
        frame = formats.read(file, key, format, **options)
    return frame if limit is None else frame[:limit]


@contextmanager
def file_of(data: Any, key: str, format: str | None, options: Mapping[str, Any]) -> Iterator[Path]:
    """The file to send: the one at the path, or one with the frames, which is there within.

    `options` go to pandas' writer. Raises StoreError if there is no such file, and whatever an iterator raises.
    """
    with _folder() as folder:
        if isinstance(data, str | os.PathLike):
            file = _existing(Path(data))
        else:
            file = folder / "object"
            formats.write(data, file, key, format, **options)
        yield file


def hand_over(upload: Upload, name: str, telling: Callable[[], AbstractContextManager[None]]) -> None:
    """Finish at once, or where commits are collected when they are made. `telling` tells the store's errors as ours."""

    def finish() -> None:
        with telling():
            upload.finish()

    commits.hand_over(commit=finish, rollback=upload.abandon, what=name)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of its own for a file on its way."""
    with tempfile.TemporaryDirectory(prefix="mage-project-") as folder:
        yield Path(folder)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise StoreError("there is no such file to export", where=str(path))
    return path

"""Looks at files: one, those in a folder, or those that fit a pattern. Nothing is read."""

from __future__ import annotations

import glob
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mage_project.schedule.watch.sightings import CannotLook, Sighting

#: A file that has changed so lately may still be being written.
SETTLED_S = 2.0
#: Names of files that programs write before they give them their own.
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload")


class Unsettled(Exception):
    """A file has changed just now: look again soon. `sightings` are the others."""

    def __init__(self, sightings: list[Sighting]) -> None:
        super().__init__("a file has changed just now")
        self.sightings = sightings


def look(root: Path, text: str, names: Mapping[str, str]) -> list[Sighting]:
    """What is there, by paths from the project's root. `CannotLook` for a folder that cannot be read."""
    found: list[Sighting] = []
    settled = True
    try:
        for path in _files(root / text):
            with suppress(FileNotFoundError):  # gone in between
                status = path.stat()
                if 0 <= time.time() - status.st_mtime < SETTLED_S:
                    settled = False
                    continue
                found.append(
                    Sighting(
                        address=str(path.relative_to(root) if path.is_relative_to(root) else path),
                        version=f"{status.st_mtime_ns} {status.st_size}",
                        size=status.st_size,
                        modified=datetime.fromtimestamp(status.st_mtime, UTC),
                        names=names,
                    )
                )
    except (OSError, ValueError) as error:
        raise CannotLook(f"{text}: {getattr(error, 'strerror', None) or error}") from error
    if not settled:
        raise Unsettled(found)
    return found


def _files(place: Path) -> Iterator[Path]:
    if place.is_dir():
        paths = list(place.iterdir())
    elif glob.has_magic(str(place)):
        paths = [Path(path) for path in glob.glob(str(place), recursive=True)]  # noqa: PTH207 - it may be absolute
    else:
        paths = [place]
    yield from sorted(path for path in paths if path.is_file() and _is_finished(path))


def _is_finished(path: Path) -> bool:
    return not path.name.startswith(".") and not path.name.endswith(_UNFINISHED)

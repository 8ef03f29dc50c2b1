"""One file on its way from a remote place into the cache."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from taxi.contents import check_whole
from taxi.formats import format_of, refuse_other_formats
from taxi.hashes import sha256_of
from taxi.remotes import Answer, Progress, Remote, Unreachable, Version


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A whole, checked file in the cache, and the version that its server had."""

    path: Path
    sha256: str
    version: Version


def kept_file(place: Path) -> Kept | None:
    """The file at `place`, if it is there whole: its bytes are hashed and compared with what was noted."""
    note = _read_note(_beside(place, ".json"))
    if not place.is_file() or note is None:
        return None
    sha256 = sha256_of(place)
    if sha256 != note.pop("sha256", None):
        warnings.warn(f"{place}: the copy is not as it was downloaded: downloading it again", stacklevel=2)
        return None
    note.pop("url", None)
    return Kept(path=place, sha256=sha256, version=Version(**note))


class Download:
    """What has arrived is in `<name>.part`; `<name>.part.json` notes which version that is a part of."""

    def __init__(self, place: Path, progress: Progress | None) -> None:
        self._place = place
        self._part = _beside(place, ".part")
        self._part_note = _beside(place, ".part.json")
        self._format = format_of(place.name)
        self._progress = progress

    @property
    def size_bytes(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def attempt(self, remote: Remote, kept: Kept | None) -> Kept:
        """Ask, receive, check, and only then give the file its name. `kept` itself, if that is still the newest.

        Raises Unreachable where another attempt may help; it goes on where this one ended.
        """
        begun = _read_note(self._part_note)
        known = kept.version if kept and kept.version.marked else None
        answer = remote.ask(known=known, partial=Version(**begun) if begun else None, start=self.size_bytes)
        if answer.chunks is None and kept:
            return kept
        self._receive(answer, remote.shown)
        sha256 = self._checked(answer, remote.shown)
        _write_note(_beside(self._place, ".json"), asdict(answer.version) | {"url": remote.shown, "sha256": sha256})
        self._part.replace(self._place)
        self._part_note.unlink(missing_ok=True)
        return Kept(path=self._place, sha256=sha256, version=answer.version)

    def _receive(self, answer: Answer, shown: str) -> None:
        size = answer.version.size_bytes
        try:
            self._refuse_without_room((size or 0) - answer.start)
            if not answer.start:
                self._discard()
                _write_note(self._part_note, asdict(answer.version))
            self._write(answer, shown)
        except (Unreachable, ValueError):
            raise
        except OSError as error:
            self._discard()
            raise OSError(
                error.errno,
                f"{self._place.parent}: the download could not be written ({error.strerror}). "
                "Make room there, or name another folder in TAXI_CACHE",
            ) from None
        if size is not None and self.size_bytes != size:
            raise Unreachable(f"{shown}: the connection was cut after {self.size_bytes:,} of {size:,} bytes")

    def _write(self, answer: Answer, shown: str) -> None:
        done = answer.start
        with self._part.open("ab") as part:
            for chunk in answer.chunks or ():
                if not done:
                    refuse_other_formats(chunk, self._format, shown)
                part.write(chunk)
                done += len(chunk)
                if self._progress:
                    self._progress(done, answer.version.size_bytes, self._place.name)

    def _checked(self, answer: Answer, shown: str) -> str:
        """The sha256 of what arrived, once it was found to be whole."""
        try:
            check_whole(self._part, self._format, shown)
        except ValueError as error:
            self._discard()
            if answer.start or answer.version.size_bytes is None:  # perhaps two parts that do not fit
                raise Unreachable(str(error)) from None
            raise
        return sha256_of(self._part)

    def _refuse_without_room(self, needed_bytes: int) -> None:
        if needed_bytes > (free := shutil.disk_usage(self._part.parent).free):
            raise OSError(28, f"{needed_bytes:,} bytes to come and {free:,} free")

    def _discard(self) -> None:
        self._part.unlink(missing_ok=True)
        self._part_note.unlink(missing_ok=True)


def _beside(place: Path, ending: str) -> Path:
    return place.with_name(place.name + ending)


def _read_note(path: Path) -> dict[str, Any] | None:
    """What was noted; None where there is no note, or one that was cut off as it was written."""
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write_note(path: Path, note: dict[str, Any]) -> None:
    temporary = _beside(path, ".new")
    temporary.write_text(json.dumps(note, indent=1))
    temporary.replace(path)

"""Uploads that appear when they are told to."""

from __future__ import annotations

import base64
from contextlib import suppress
from pathlib import Path
from typing import Any

import google_crc32c
from google.api_core import exceptions as api

from mage_project.io import google_errors

#: Google takes multiples of 256 KiB.
_UNIT_BYTES = 256 * 1024
_CHUNK_BYTES = 32 * _UNIT_BYTES


class Upload:
    """A file on its way to an object, all but its last chunk sent: the object is as before until `finish`."""

    def __init__(self, blob: Any, file: Path, *, retry: Any) -> None:
        """Send the file, in pieces that can be sent again. Google checks the object against its checksum."""
        size = file.stat().st_size
        blob.crc32c = _checksum(file)
        self._writer = blob.open("wb", chunk_size=_chunk_bytes(size), retry=retry, ignore_flush=True)
        try:
            with file.open("rb") as source:
                while piece := source.read(_CHUNK_BYTES):
                    self._writer.write(piece)
            if size < _CHUNK_BYTES:  # nothing was sent yet: a missing bucket is better found now
                with suppress(api.Forbidden):
                    blob.bucket.reload(retry=retry)
        except BaseException:
            self.abandon()
            raise

    def finish(self) -> None:
        """Send the last chunk: the object is there, whole."""
        try:
            self._writer.close()
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Let go of what was sent. Google forgets it by itself after a week, should it not hear of this."""
        with suppress(*google_errors.ALL, ValueError):
            self._writer.terminate()


def _chunk_bytes(size: int) -> int:
    """A size of chunks that leaves something for the last one."""
    chunk = _CHUNK_BYTES
    while size and size % chunk == 0:
        chunk += _UNIT_BYTES
    return chunk


def _checksum(file: Path) -> str:
    checksum: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
    with file.open("rb") as source:
        while piece := source.read(1 << 20):
            checksum.update(piece)
    return base64.b64encode(checksum.digest()).decode()

"""What a place to download from has to offer, and the errors that it raises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

#: TLC's own files are on this host: https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page links to it.
TLC_HOST = "d37ci6vzurychx.cloudfront.net"

#: Called with bytes done, bytes in all (None: not known) and what is being downloaded.
Progress = Callable[[int, int | None, str], None]


@dataclass(frozen=True, kw_only=True)
class Version:
    """Which content a file has, as its server tells it. Without a mark, nobody can know whether it changed."""

    etag: str | None = None
    last_modified: str | None = None
    size_bytes: int | None = None
    crc32c: str | None = None

    @property
    def marked(self) -> bool:
        return bool(self.etag or self.last_modified)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`version` of the file, and its bytes from `start` on. `chunks` None: it is the version that was known."""

    version: Version
    start: int = 0
    chunks: Iterator[bytes] | None = None


class Remote(Protocol):
    """One file somewhere else."""

    #: The address without passwords and signatures: what messages and file names may hold.
    shown: str

    def ask(self, *, known: Version | None, partial: Version | None, start: int) -> Answer:
        """The file, if it is not the version `known`; from byte `start` on, if it is still the version `partial`.

        Raises Unreachable where trying again may help, here and while chunks are read; else OSError or ValueError.
        """


class NotPublished(FileNotFoundError):
    """A month that its source does not have, perhaps not yet. `not_published` is what runners look at."""

    not_published = True


class Unreachable(ConnectionError):
    """A failure that may pass. `after_s`: the server asked to wait that many seconds."""

    def __init__(self, what: str, *, after_s: float | None = None) -> None:
        super().__init__(what)
        self.after_s = after_s

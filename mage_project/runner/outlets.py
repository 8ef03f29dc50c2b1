"""A file that is written by its number, for as long as the number is the file's."""

from __future__ import annotations

import errno
import os


class Outlet:
    """What is written goes to the file that had the number at first, or nowhere.

    A block may close numbers that are not its own, and what it opens next gets them: a table that is being written.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._file = _file(number)

    def write(self, data: bytes) -> None:
        """All of it. `OSError` where that cannot be, and where the file is closed."""
        self.check()
        left = memoryview(data)
        while left:
            left = left[os.write(self._number, left) :]

    def check(self) -> None:
        """Raise `OSError` where the number is no longer the file's."""
        if _file(self._number) != self._file:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def close(self) -> None:
        self.check()
        os.close(self._number)


def _file(number: int) -> tuple[int, int]:
    status = os.fstat(number)
    return status.st_dev, status.st_ino

"""What is wrong with the history's file, and what to do about it, by what SQLite and the system say."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from mage_project.errors import HistoryUnavailable
from mage_project.history.stores import VARIABLE

#: What SQLite says of a file that is not, or no longer, a database: https://www.sqlite.org/rescode.html
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
#: Below this no file grows. SQLite calls a full disk an I/O error where its log's index does not fit.
_NO_ROOM_BYTES = 65_536
_ELSEWHERE = f"{VARIABLE}=/another/place/history.db keeps it elsewhere, {VARIABLE}=off does without"


def is_broken(error: Exception) -> bool:
    return _code(error) in _BROKEN


def unavailable(path: Path, error: Exception) -> HistoryUnavailable:
    """The error as the user is told it."""
    what, hint = str(error), _ELSEWHERE
    if _code(error) in _LOCKED or isinstance(error, TimeoutError):
        hint = f"see which process has it open: lsof {path}; {_ELSEWHERE}"
    elif _is_full(path, error):
        what, hint = f"its disk is full ({error})", f"make room there: mage-project clean; {_ELSEWHERE}"
    elif _code(error) == sqlite3.SQLITE_ERROR:
        what = f"its tables are not those of this version ({error})"
        hint = f"move the file away, and the next run begins another one; {_ELSEWHERE}"
    return HistoryUnavailable(f"the history cannot be used: {what}", where=str(path), hint=hint)


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF if isinstance(error, sqlite3.Error) else 0


def _is_full(path: Path, error: Exception) -> bool:
    if _code(error) == sqlite3.SQLITE_IOERR and path.parent.is_dir():
        return shutil.disk_usage(path.parent).free < _NO_ROOM_BYTES
    full = (errno.ENOSPC, errno.EDQUOT)
    return _code(error) == sqlite3.SQLITE_FULL or (isinstance(error, OSError) and error.errno in full)

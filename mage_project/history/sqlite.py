"""The history in one SQLite file (WAL), by the standard library: importing SQLAlchemy would take longer than a run.

A file that is broken is set aside under another name and a new one begun: no run fails for its history.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from mage_project.history import private
from mage_project.history.sqlite_errors import is_broken, unavailable
from mage_project.history.stores import REVISION, Row, Told, Transaction, statements

#: How long another process's write is waited for.
BUSY_S = 2.0
#: How long another process is waited for that makes the file, sets it aside or brings its tables up to date.
ALONE_S = 10.0
#: Not every run has to tidy up the log. But whoever opens it first has to read all of it, and what was copied out of it
#: is forgotten with the last connection: left alone it would grow, be copied and be read for ever.
LONG_LOG_BYTES = 2_000_000


class SqliteTransaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, **values: Any) -> Sequence[Row]:
        return [dict(row) for row in self._connection.execute(statement, values)]

    def run_many(self, statement: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self._connection.executemany(statement, rows)


class SqliteStore:
    """The history in the file `path`. A connection lives for one transaction: blocks may fork at any other time."""

    def __init__(self, path: Path, told: Told) -> None:
        self.path = path
        self._told = told

    @property
    def place(self) -> str:
        return str(self.path)

    def now(self, _transaction: Transaction) -> float:
        return time.time()

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[SqliteTransaction]:
        try:
            connection = self._connected()
            try:
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield SqliteTransaction(connection)
                connection.execute("COMMIT")
            finally:
                self._close(connection)
        except (sqlite3.Error, OSError) as error:
            if is_broken(error):
                with suppress(
                    sqlite3.Error, OSError
                ):  # where nothing can be renamed it stays, and is said to be broken
                    self._set_aside()
            raise unavailable(self.path, error) from error

    def _connected(self) -> sqlite3.Connection:
        """A connection to a file with the tables in it; a broken file is replaced first."""
        try:
            return self._prepared()
        except sqlite3.DatabaseError as error:
            if not is_broken(error):
                raise
        self._set_aside()
        return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        if not self.path.exists():
            private.file(self.path)  # SQLite gives its log the same rights
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            self._leave_log(connection, as_it_is=True)
            connection.execute("PRAGMA synchronous = NORMAL")
            found = _revision(connection)
            if found is None:
                self._create(connection)
            elif found != REVISION:
                self._upgrade(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self, connection: sqlite3.Connection) -> None:
        """Close it, which rolls back what is not committed, and tidy up the log where it has become long."""
        with suppress(OSError):
            self._leave_log(connection, as_it_is=Path(f"{self.path}-wal").stat().st_size < LONG_LOG_BYTES)
        connection.close()

    def _leave_log(self, connection: sqlite3.Connection, *, as_it_is: bool) -> None:
        if hasattr(connection, "setconfig"):  # Python 3.12; older ones tidy up whenever the last connection closes
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, as_it_is)

    def _create(self, connection: sqlite3.Connection) -> None:
        """Make the tables, unless another process was faster."""
        with self._alone():
            connection.execute("PRAGMA journal_mode = WAL")
            if _revision(connection) is not None:
                return
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements():
                connection.execute(statement)
            connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", [REVISION])
            connection.execute("COMMIT")

    def _upgrade(self, connection: sqlite3.Connection) -> None:
        """Bring the tables to this version's revision, unless another process was faster."""
        from mage_project.history.migrating import upgrade

        with self._alone():
            found = _revision(connection)
            if found != REVISION:
                upgrade(f"sqlite:///{self.path}", found=found, place=self.place)

    def _set_aside(self) -> None:
        """Give the broken file another name, once, however many processes have found it broken."""
        with self._alone():
            if not self._still_broken():
                return
            aside = self.path.with_name(f"{self.path.name}.broken-{time.strftime('%Y%m%dT%H%M%S')}")
            self.path.rename(aside)
            for ending in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    Path(f"{self.path}{ending}").rename(f"{aside}{ending}")
        self._told(f"warning: the history was broken: it is set aside as {aside}, and begins anew")

    def _still_broken(self) -> bool:
        if not self.path.exists():
            return False
        connection = sqlite3.connect(self.path, timeout=BUSY_S)
        try:
            return any(row[0] != "ok" for row in connection.execute("PRAGMA quick_check(1)"))
        except sqlite3.DatabaseError as error:
            return is_broken(error)
        finally:
            connection.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Inside, no other process makes or sets aside the file."""
        with private.file(self.path.with_name(f"{self.path.name}.lock")).open("w") as lock:
            until = time.monotonic() + ALONE_S
            while not _locked(lock):  # who has it may hang, or have been stopped
                if time.monotonic() > until:
                    raise TimeoutError(f"another process has been making or changing it for {ALONE_S:g} s")
                time.sleep(0.02)
            yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _revision(connection: sqlite3.Connection) -> str | None:
    """The revision of the tables, None for none. A broken file raises."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    return str(row[0]) if row else None

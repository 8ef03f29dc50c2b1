"""One open DuckDB database: its transaction, and who decides about the commit."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.io import commits

if TYPE_CHECKING:
    import duckdb

#: The databases with commits that wait, so that a second connector of the block sees what the first has written.
_waiting: WeakKeyDictionary[commits.Commits, dict[str, Session]] = WeakKeyDictionary()


class Session:
    """A connection to the database `name`. Everything between `begin` and `keep` is written whole or not at all."""

    def __init__(self, name: str, config: dict[str, Any]) -> None:
        """Connect. Raises StoreUnavailable while another process writes the file, StoreError for anything else."""
        import duckdb

        self.name = name
        with self.telling("opening it"):
            self.connection: duckdb.DuckDBPyConnection = duckdb.connect(name, config=config)
            self.connection.execute("SET errors_as_json = true")  # with the place in the statement
        #: The statement that was executed last, for errors that name a place in it.
        self.sent = ""
        self._collected: commits.Commits | None = None
        self._in_transaction = False
        self._is_left = False
        self._broken: BaseException | None = None

    @classmethod
    def opened(cls, name: str, config: dict[str, Any]) -> Session:
        """A new one, or the one that waits for its commit."""
        collected = commits.current()
        waiting = _waiting.get(collected, {}).get(name) if collected is not None else None
        if waiting is None:
            return cls(name, config)
        waiting._is_left = False
        return waiting

    def begin(self) -> None:
        """Begin a transaction where none is open. Where commits are collected its commit is handed over."""
        if self._in_transaction:
            return
        with self.telling("beginning"):
            self.connection.execute("BEGIN TRANSACTION")
        self._in_transaction = True
        self._collected = commits.current()
        if self._collected is not None:
            _waiting.setdefault(self._collected, {})[self.name] = self
            self._collected.add(
                prepare=self._check, commit=self._commit, rollback=self._roll_back, what=f"DuckDB {self.name}"
            )

    def execute(self, statement: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Execute statements. Raises DuckDB's own errors."""
        self.sent = statement
        return self.connection.execute(statement, parameters)

    def keep(self) -> None:
        """The work so far is to be committed: at once, or with everything that is collected."""
        if self._in_transaction and self._collected is None:
            self._commit()

    @contextmanager
    def writing(self, doing: str) -> Iterator[None]:
        """Inside, something is written; whole, or not at all."""
        self.begin()
        try:
            with self.telling(doing):
                yield
        except BaseException as error:
            self._broken = error
            if self._collected is None:
                self._roll_back()
            raise
        self.keep()

    def leave(self) -> None:
        """The connector is done: the connection is closed, once a waiting commit was made."""
        if self._in_transaction and self._collected is not None:
            self._is_left = True
            return
        self._roll_back()
        self.connection.close()

    @contextmanager
    def telling(self, doing: str) -> Iterator[None]:
        """DuckDB's errors as ours."""
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            raise self._told(error, doing) from error

    # -- within

    def _check(self) -> None:
        if self._broken is not None:
            what = f"what was written to DuckDB {self.name} cannot be committed: a part of it has failed before"
            raise StoreError(what, hint="run it again") from self._broken

    def _commit(self) -> None:
        self._check()
        with self.telling("committing"):
            self.connection.execute("COMMIT")
        self._forget()

    def _roll_back(self) -> None:
        import duckdb

        if self._in_transaction:
            with suppress(duckdb.Error):
                self.connection.execute("ROLLBACK")
        self._forget()

    def _forget(self) -> None:
        if self._collected is not None:
            _waiting.get(self._collected, {}).pop(self.name, None)
        self._collected, self._broken, self._in_transaction = None, None, False
        if self._is_left:
            self.connection.close()

    def _told(self, error: duckdb.Error, doing: str) -> StoreError:
        message = details(error).get("exception_message") or str(error)
        if "Could not set lock" in message or "Conflicting lock" in message:
            what = f"DuckDB {self.name} is open in another program: {message.splitlines()[0]}"
            return StoreUnavailable(what, hint="close it there, then run it again")
        guess = details(error).get("candidates")
        hint = f"did you mean {guess}?" if guess else self._without_folder()
        return StoreError(f"DuckDB {self.name} refused while {doing}: {message}", hint=hint)

    def _without_folder(self) -> str | None:
        """What to do where the folder of the database is missing, as with a relative path seen from another one."""
        folder = Path(self.name).parent
        if folder.is_dir() or self.name.startswith(("md:", "motherduck:")) or "://" in self.name:
            return None
        return (
            f"mkdir -p {shlex.quote(str(folder))}, or run it from the folder in which DUCKDB_DATABASE leads to the file"
        )


def details(error: BaseException | None) -> dict[str, str]:
    """What DuckDB says about an error besides its message: `position`, `candidates`..."""
    _, brace, rest = str(error).partition("{")
    try:
        found = json.loads(brace + rest)
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

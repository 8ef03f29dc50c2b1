"""One connection's transaction: what is to happen when it commits, and who decides that it does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_UNKNOWN

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.io import claims, commits
from mage_project.io.connecting import Address, connect, is_lost
from mage_project.io.store_errors import store_error

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from mage_project.io.connection import Connection

log = logging.getLogger(__name__)

_KEPT = "mage_project_kept"
#: The transactions that wait for their commit and that no connector uses any more.
_left: WeakKeyDictionary[commits.Commits, list[Transaction]] = WeakKeyDictionary()


class Transaction:
    """What has been written on one connection and is waiting.

    A swap (the last step of a replacing export) waits until something needs it: a statement on the same connection,
    or the commit. Inside `commits.collecting` the commit itself waits too: what the block committed is then marked
    with a savepoint, so that what it did afterwards and did not commit is left out.
    """

    def __init__(self, address: Address, options: Mapping[str, Any]) -> None:
        """Connect; `options` are libpq's."""
        self.address = address
        self.options = dict(options)
        self.connection = connect(address, self.options)
        self.connection.owner = self
        self._swaps: list[tuple[str, Callable[[Cursor], None]]] = []
        self._commits: commits.Commits | None = None
        self._pending: commits.Pending | None = None
        self._is_kept = False
        self._has_savepoint = False
        self._is_left = False
        self._broken: BaseException | None = None

    @classmethod
    def opened(cls, address: Address, options: Mapping[str, Any]) -> Transaction:
        """A new transaction, or the one that an earlier connector of the same block has left waiting.

        So a block that opens a second connector sees what it exported through the first, as it would had that been
        committed.
        """
        collected = commits.current()
        left = _left.get(collected, []) if collected is not None else []
        for waiting in left:
            if (waiting.address, waiting.options) == (address, dict(options)) and waiting._broken is None:
                left.remove(waiting)
                waiting._is_left = False
                return waiting
        return cls(address, options)

    def another(self) -> Connection:
        """A second connection, for what must be seen by others before this one commits."""
        return connect(self.address, self.options)

    @property
    def is_deferred(self) -> bool:
        """Whether somebody else decides about the commit."""
        return self._pending is not None

    @property
    def group(self) -> commits.Commits | None:
        """Whose commit this one waits for: that of its block, or (None) of all blocks of the stream."""
        return self._commits if self._commits is not None and self._commits.settles else None

    def begin(self, what: str) -> None:
        """Called when a transaction has begun: from now on, where commits are collected, this one is among them."""
        collected = commits.current()
        if collected is None or self._pending is not None:
            return
        self._commits = collected
        self._pending = collected.add(
            prepare=self._prepare, commit=self._commit, rollback=self._roll_back, what=f"{what} at {self.address}"
        )
        with self._telling("beginning"), self.connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")

    @contextmanager
    def writing(self, doing: str) -> Iterator[Cursor]:
        """Inside, an export writes. When it fails its work is undone, and with it everything that was not kept."""
        try:
            if self.connection.autocommit:
                self.connection.autocommit = False  # an export is whole or not at all
            self.settle()
            self._mark()
            with self.connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            told = store_error(error, self.connection, self.address, doing)
            self._undo(error)
            raise told from error
        except BaseException as error:
            self._undo(error)
            raise

    def later(self, doing: str, swap: Callable[[Cursor], None]) -> None:
        """Hand over the last step of an export."""
        self._swaps.append((doing, swap))

    def settle(self) -> None:
        """Take the last steps that are waiting, so that the connection sees its own data."""
        while self._swaps:
            doing, swap = self._swaps.pop(0)
            try:
                with self._telling(doing), self.connection.cursor() as cursor:
                    swap(cursor)
            except BaseException as error:
                self._broken = error
                raise

    def touch(self) -> None:
        """Called before a statement of the block's: it sees what was exported, and is undone if it is not committed."""
        self.settle()
        self._mark()

    def keep(self) -> None:
        """The block (or an export) commits."""
        self.begin("statements")
        if not self.is_deferred:
            self.settle()
            self._really_commit()
            return
        if self._has_savepoint:
            with self._telling("committing"), self.connection.cursor() as cursor:
                cursor.execute(f"RELEASE SAVEPOINT {_KEPT}")
        self._has_savepoint = False
        self._is_kept = True

    def give_up(self) -> None:
        """The block rolls back: what it has committed before stays."""
        if self.is_deferred and self._is_kept:
            self._back_to_savepoint()
        else:
            self._swaps.clear()
            self.connection.really_rollback()

    def leave(self) -> None:
        """The block is done with the connection: it is closed, once the waiting commit was made."""
        if self._commits is not None and (self._is_kept or self._swaps):
            self._is_left = True
            _left.setdefault(self._commits, []).append(self)
            return
        self._end()

    # -- what the collector of commits calls

    def _prepare(self) -> None:
        self._back_to_savepoint()
        self.settle()
        self._check()

    def _commit(self) -> None:
        try:
            self._really_commit()
        finally:
            self._forget()

    def _roll_back(self) -> None:
        self._swaps.clear()
        with suppress(psycopg2.Error):
            self.connection.really_rollback()
        self._forget()

    # -- within

    def _check(self) -> None:
        """A COMMIT of a transaction that has failed is a rollback without a word."""
        status = self.connection.info.transaction_status
        if self._broken is None and status not in {TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_UNKNOWN}:
            return
        what = f"what was written to Postgres at {self.address} cannot be committed: its transaction has failed before"
        transient = isinstance(self._broken, StoreError) and self._broken.transient
        raise (StoreUnavailable if transient else StoreError)(what, hint="run it again") from self._broken

    def _really_commit(self) -> None:
        self._check()
        with self._telling("committing"):
            self.connection.really_commit()
        claims.release(self)

    def _forget(self) -> None:
        if self._commits is not None and self in _left.get(self._commits, []):
            _left[self._commits].remove(self)
        self._pending = self._commits = None
        self._is_kept = self._has_savepoint = False
        claims.release(self)
        if self._is_left:
            self.connection.close()

    def _mark(self) -> None:
        """Before new work on top of kept work: a point to go back to."""
        if self.is_deferred and self._is_kept and not self._has_savepoint:
            with self._telling("beginning"), self.connection.cursor() as cursor:
                cursor.execute(f"SAVEPOINT {_KEPT}")
            self._has_savepoint = True

    def _back_to_savepoint(self) -> None:
        if self._has_savepoint:
            with self._telling("rolling back"), self.connection.cursor() as cursor:
                cursor.execute(f"ROLLBACK TO SAVEPOINT {_KEPT}")
                cursor.execute(f"RELEASE SAVEPOINT {_KEPT}")
            self._has_savepoint = False

    def _undo(self, error: BaseException) -> None:
        """An export failed: go back to what was kept before it, or to nothing, and then let go of the connection."""
        if not self._is_kept:
            self._end()
            return
        if self._broken is None and is_lost(self.connection, error):
            self._broken = error
        if self._broken is None:
            try:
                self._back_to_savepoint()
            except StoreError as second:
                self._broken = second

    def _end(self) -> None:
        self._swaps.clear()
        if self._pending is not None and self._commits is not None:
            self._commits.discard(self._pending)
        self._pending = self._commits = None
        with suppress(psycopg2.Error):
            self.connection.close()  # the server rolls back
        claims.release(self)

    @contextmanager
    def _telling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            raise store_error(error, self.connection, self.address, doing) from error

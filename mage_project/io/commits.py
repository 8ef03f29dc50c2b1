"""Commits that wait until everything that belongs together has passed.

Inside `collecting(commits)` a connector that has written everything hands over how to commit and how to roll back
instead of committing. Outside it commits at once. Who reads back what it wrote finds it there: `settle`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock

from mage_project.errors import MageProjectError

log = logging.getLogger(__name__)

Action = Callable[[], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pending:
    """One store's waiting commit. `prepare` does what may still fail (locks, swaps); after it `commit` is quick."""

    commit: Action
    rollback: Action
    prepare: Action | None = None
    what: str = "a store"


#: How an error is marked that came when a part was committed: doing all of it again would do that twice.
PARTLY_DONE = "committed before it failed"


class Commits:
    """The commits that wait for each other, in the order in which they were handed over. Safe to fill from threads."""

    def __init__(self, *, settles: bool = False) -> None:
        """`settles`: those who write also read, so that what they wrote is committed before they do (`settle`)."""
        self.settles = settles
        self._pending: list[Pending] = []
        #: What has been committed, by name.
        self.done: list[str] = []
        self._prepared: set[Pending] = set()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, *, commit: Action, rollback: Action, prepare: Action | None = None, what: str = "a store") -> Pending:
        """Hand over a commit. Each of its callables is called at most once, from any thread."""
        pending = Pending(commit=commit, rollback=rollback, prepare=prepare, what=what)
        with self._lock:
            self._pending.append(pending)
        return pending

    def discard(self, pending: Pending) -> None:
        """Forget a commit whose store has rolled back by itself."""
        with self._lock:
            if pending in self._pending:
                self._pending.remove(pending)

    def prepare_all(self) -> None:
        """Do everything that can fail before the first commit. Raises what failed, with nothing committed."""
        for pending in list(self._pending):
            if pending.prepare is not None and pending not in self._prepared:
                self._prepared.add(pending)
                pending.prepare()

    def commit_all(self, shielded: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Prepare, then commit in order. If one fails, the rest is rolled back, and the error says what was done.

        `shielded`: inside it nothing interrupts. Commits are made there; to prepare may wait for others, and is not.
        """
        with self._whole():
            self.prepare_all()
        with shielded(), self._whole():
            while pending := self._take():
                pending.commit()
                self.done.append(pending.what)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Inside, what fails has everything rolled back that is not committed."""
        try:
            yield
        except BaseException as error:
            if self.done:
                error.add_note(f"{PARTLY_DONE}: {', '.join(self.done)}")
                if isinstance(error, MageProjectError):
                    error.transient = False  # doing all of it again would do twice what is done
            self._roll_back_after(error)
            raise

    def rollback_all(self) -> None:
        """Roll everything back, the newest first. Every rollback is tried; the first error is raised at the end."""
        first: BaseException | None = None
        while pending := self._take(-1):
            try:
                pending.rollback()
            except Exception as error:  # noqa: BLE001 - the others must be rolled back all the same
                log.warning("%s could not be rolled back: %s", pending.what, error)
                first = first or error
        if first is not None:
            raise first

    def _take(self, index: int = 0) -> Pending | None:
        with self._lock:
            return self._pending.pop(index) if self._pending else None

    def _roll_back_after(self, error: BaseException) -> None:
        try:
            self.rollback_all()
        except Exception as second:  # noqa: BLE001 - the commit's own error is the one to tell
            error.add_note(f"and the rest could not be rolled back: {second}")


_current: ContextVar[Commits | None] = ContextVar("mage_project_commits", default=None)


@contextmanager
def at_once() -> Iterator[None]:
    """Inside, nothing is collected: what is written must be there for the next statement."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Commits | None:
    """The commits that are being collected here, or None where a connector commits at once."""
    return _current.get()


_connecting: ContextVar[bool] = ContextVar("mage_project_connecting", default=False)


@contextmanager
def connecting() -> Iterator[None]:
    """Inside, a connector opens a connection of its own: nothing settles."""
    token = _connecting.set(True)
    try:
        yield
    finally:
        _connecting.reset(token)


def settle() -> None:
    """Commit what waits, where a block may be about to read it. A test that fails later does not undo it."""
    collected = current()
    if collected is not None and collected.settles and not _connecting.get():
        with connecting():
            collected.commit_all()


def hand_over(*, commit: Action, rollback: Action, what: str) -> None:
    """Commit at once, or where commits are collected when they are made."""
    collected = current()
    if collected is None:
        commit()
    else:
        collected.add(commit=commit, rollback=rollback, what=what)


@contextmanager
def collecting(commits: Commits | None = None) -> Iterator[Commits]:
    """Inside (and in contexts copied from inside), connectors hand their commits to `commits`, else to a new one."""
    collected = Commits() if commits is None else commits
    token = _current.set(collected)
    try:
        yield collected
    finally:
        _current.reset(token)

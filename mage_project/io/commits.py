"""Commits that wait for each other.

While a stream runs, a connector that has written everything does not commit: it hands its commit over, and the runner
makes all of them together once every block has finished and every test has passed, or rolls all of them back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_current: ContextVar[Commits | None] = ContextVar("commits", default=None)


@dataclass(frozen=True, kw_only=True)
class _Pending:
    commit: Callable[[], None]
    rollback: Callable[[], None]


class Commits:
    """The commits that were handed over, in order."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    def __bool__(self) -> bool:
        return bool(self._pending)

    def add(self, *, commit: Callable[[], None], rollback: Callable[[], None]) -> None:
        """Hand over a commit as soon as the transaction has begun, so that it can be rolled back from then on."""
        self._pending.append(_Pending(commit=commit, rollback=rollback))

    def commit_all(self) -> None:
        """Commit in order. If one fails, the ones behind it are rolled back and its error is raised."""
        while self._pending:
            pending = self._pending.pop(0)
            try:
                pending.commit()
            except BaseException:
                self.rollback_all()
                raise

    def rollback_all(self) -> None:
        while self._pending:
            self._pending.pop().rollback()


def current() -> Commits | None:
    """Where to hand commits over, or None where a connector commits by itself."""
    return _current.get()


@contextmanager
def collecting(commits: Commits | None = None) -> Iterator[Commits]:
    """Inside, connectors hand their commits over."""
    collected = Commits() if commits is None else commits
    token = _current.set(collected)
    try:
        yield collected
    finally:
        _current.reset(token)

"""The run that goes on in this process, and the runs that its blocks have started: none of them outlives it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mage_project.history import starters

_PAUSE_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Parent:
    """The run whose blocks start others. `line`: the pipelines that have led to it, its own last.

    `sample_rows`: where it is only tried on that many rows, and so are those that it starts.
    """

    run_id: str
    execution_date: datetime
    line: tuple[str, ...]
    sample_rows: int | None = None


class Child(Protocol):
    """A run that a block has started."""

    run_id: str
    pipeline: str

    @property
    def status(self) -> str: ...

    def stop(self) -> None: ...

    def last_words(self) -> str: ...


_parent: Parent | None = None
#: Those that nobody waits for (yet).
started: list[Child] = []


@contextmanager
def belonging_to(
    run_id: str, pipeline: str, execution_date: datetime, *, sample_rows: int | None = None
) -> Iterator[None]:
    """Inside, what blocks start are children of this run. However it is left, none of them is left running."""
    global _parent
    before = _parent
    line = (*starters.line(), pipeline)
    _parent = Parent(run_id=run_id, execution_date=execution_date, line=line, sample_rows=sample_rows)
    try:
        yield
    finally:
        _parent = before
        while started:
            started.pop().stop()


def parent() -> Parent | None:
    """The run that goes on in this process."""
    return _parent


def wait_for_all(said: Callable[[str | None, str], None], warned: Callable[[str | None, str], None]) -> None:
    """Wait for the runs that blocks have started and not waited for. One that fails is a warning."""
    for child in list(started):
        if child.status == "running":
            said(None, f"waiting for run {child.run_id} of {child.pipeline}, which a block has started")
        while child.status == "running":
            time.sleep(_PAUSE_S)
        started.remove(child)
        failed, words = child.status == "failed", child.last_words()
        if failed:
            warned(None, f"run {child.run_id} of {child.pipeline}, which a block has started, failed:\n{words}")

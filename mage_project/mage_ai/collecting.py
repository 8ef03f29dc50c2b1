"""Who collects what Mage's decorators decorate, while a block's file is executed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_collectors: ContextVar[Mapping[str, Callable[..., Any]] | None] = ContextVar("mage_project_collectors", default=None)


@contextmanager
def collecting(collectors: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Inside, in this thread, the decorators of these names are these."""
    token = _collectors.set(collectors)
    try:
        yield
    finally:
        _collectors.reset(token)


def collector(name: str) -> Callable[..., Any] | None:
    """The decorator that collects under this name here; None where nobody does."""
    return (_collectors.get() or {}).get(name)

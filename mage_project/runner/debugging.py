"""The debugger on the run's terminal: at the line where a block or a test failed, and at a block's `breakpoint()`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from mage_project.project import Block
from mage_project.runner.speech import Said

#: Inside, whoever shows the run's progress keeps off the terminal.
Paused = Callable[[], AbstractContextManager[Any]]


@dataclass(kw_only=True)
class Debugging:
    """`said` tells a line. Blocks may run side by side: one has the terminal at a time."""

    paused: Paused
    said: Said
    after_failures: bool
    alone: threading.RLock = field(default_factory=threading.RLock)
    told: bool = False


_debugging: Debugging | None = None


def has_terminal() -> bool:
    """Whether somebody can type, and read the answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stdout__))


@contextmanager
def enabled(*, paused: Paused, said: Said, after_failures: bool) -> Iterator[None]:
    """Inside, `breakpoint()` in a block opens the debugger; with `after_failures` so does a failure.

    Where PYTHONBREAKPOINT names another debugger, `breakpoint()` is left to that one.
    """
    global _debugging
    before, hook = _debugging, sys.breakpointhook
    _debugging = Debugging(paused=paused, said=said, after_failures=after_failures)
    if not os.environ.get("PYTHONBREAKPOINT"):
        sys.breakpointhook = _stop_here
    try:
        yield
    finally:
        _debugging, sys.breakpointhook = before, hook


def look(block: Block, error: BaseException) -> None:
    """After a failure: open the debugger at the innermost line of the block's own file, if that was asked for."""
    wanted = _debugging
    if wanted is None or not wanted.after_failures:
        return
    trace = _trace_in(block, error)
    if trace is None:
        wanted.said(block.uuid, f"no line of the block was being executed, so there is none to debug: {error}")
        return
    from mage_project.runner.debugger import Debugger

    with wanted.alone:
        Debugger(wanted.paused, str(block.path)).look(block.uuid, error, trace)


def _stop_here(*_args: Any, **_kwargs: Any) -> None:
    """What `breakpoint()` does in a run."""
    wanted = _debugging
    if wanted is None or not has_terminal():
        if wanted is not None and not wanted.told:
            wanted.told = True
            wanted.said(None, "warning: breakpoint() is passed over: there is no terminal to debug on")
        return
    from mage_project.runner.debugger import Debugger

    with wanted.alone:
        Debugger(wanted.paused).stop(sys._getframe(1))


def _trace_in(block: Block, error: BaseException) -> TracebackType | None:
    """The traceback, of the error or one that it comes from, that goes through the block's file."""
    cause: BaseException | None = error
    while cause is not None:
        trace = cause.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == str(block.path):
                return cause.__traceback__
            trace = trace.tb_next
        cause = cause.__cause__ or cause.__context__
    return None

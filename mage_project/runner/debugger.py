"""Python's own debugger, on the terminal and not in what is shown of a run, for who is in the middle of one."""

from __future__ import annotations

import pdb
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from mage_project.runner.debugging import Paused
from mage_project.runner.interrupts import Interrupted


class Debugger(pdb.Pdb):
    """One session. `file`: the frame to begin with is the innermost one in it; deeper ones are `down`."""

    def __init__(self, paused: Paused, file: str | None = None) -> None:
        super().__init__(nosigint=True, stdin=sys.__stdin__, stdout=sys.__stdout__)
        self.use_rawinput = True  # pdb takes given streams for files; these have a keyboard, and so a history of lines
        self._paused = paused
        self._file = file
        self._ends_run = False

    def look(self, block: str, error: BaseException, trace: TracebackType) -> None:
        """Look at what has failed. Nothing can be gone on with: the session ends, and the run fails."""
        with self._on_terminal():
            self.message(f"\n{block} failed: {(str(error) or type(error).__name__).splitlines()[0]}")
            self.message(
                "The debugger is at the line that failed: `p NAME`, `a` shows what the function was given, `u` and"
            )
            self.message("`d` go up and down the calls, `q` ends the run.\n")
            self.reset()
            self.interaction(None, trace)

    def stop(self, frame: FrameType) -> None:
        """Stop at the next line of a frame that runs; `c` goes on with it."""
        self._ends_run = True
        self.set_trace(frame)

    def setup(self, f: FrameType | None, tb: TracebackType | None) -> None:
        super().setup(f, tb)
        mine = [place for place, (frame, _) in enumerate(self.stack) if frame.f_code.co_filename == self._file]
        if mine:
            self.curindex = mine[-1]
            self.curframe = self.stack[self.curindex][0]
            self.curframe_locals = self.curframe.f_locals

    def interaction(self, frame: FrameType | None, tb_or_exc: Any) -> None:
        with self._on_terminal():
            super().interaction(frame, tb_or_exc)

    def do_quit(self, arg: str) -> bool | None:
        """`q`, or the end of the input."""
        if not self._ends_run:
            return super().do_quit(arg)
        self.set_continue()
        raise Interrupted(signal.SIGINT)

    do_q = do_exit = do_quit

    def do_EOF(self, arg: str) -> bool | None:
        self.message("")
        return self.do_quit(arg)

    @contextmanager
    def _on_terminal(self) -> Iterator[None]:
        """Inside, the terminal is the debugger's, and no timeout counts."""
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        before = sys.stdin, sys.stdout
        sys.stdin, sys.stdout = sys.__stdin__, sys.__stdout__
        try:
            with self._paused():
                yield
        finally:
            sys.stdin, sys.stdout = before
            signal.setitimer(signal.ITIMER_REAL, left)

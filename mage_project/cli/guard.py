"""Runs the work in a process of its own, so that killing the command never cuts a commit in two.

The command's process only waits. The worker sits in its own session and reads a pipe: when the pipe ends, the
command is gone (however it died, `kill -9` included), and the worker stops as after SIGTERM: it rolls back, or, when
its commit has begun, finishes that first. Only killing the worker itself, or the machine, can cut a commit; each
store's documentation says what holds then.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

#: How long a worker whose command is gone may take to roll back or to finish its commit.
FAREWELL_S = 120


def guarded(work: Callable[[], int], *, killed: Callable[[str], None], starter: int | None = None) -> int:
    """Run `work` in the worker and return its exit code (128 + n when signal n ended it).

    `killed` is told when the worker could not say by itself how it ended. `starter`: a descriptor that ends when the
    program is gone that has started the command; then the worker stops as well.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return work()
    sys.stdout.flush()
    sys.stderr.flush()
    alive, ours = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(ours)
        _work(work, [alive] if starter is None else [alive, starter])
    os.close(alive)
    return _wait(worker, killed)


def _work(work: Callable[[], int], alive: list[int]) -> None:
    """The worker: never returns."""
    code = 1
    try:
        os.setsid()
        threading.Thread(target=_stop_when_alone, args=(alive,), name="guard", daemon=True).start()
        code = work()
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:  # noqa: BLE001 - the worker must end here, and say why
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            code = code or 1
        os._exit(code)


def _stop_when_alone(alive: list[int]) -> None:
    select.select(alive, [], [])  # returns when the other end of one of them is closed
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(FAREWELL_S)
    os._exit(128 + signal.SIGKILL)


def _wait(worker: int, killed: Callable[[str], None]) -> int:
    """Wait for the worker, passing signals on to it."""

    def pass_on(signum: int, _frame: FrameType | None) -> None:
        os.kill(worker, signum)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        _, status = os.waitpid(worker, 0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        name = signal.Signals(-code).name
        killed(f"the run was killed ({name}; was memory short?): what it had not committed is rolled back")
    return code if code >= 0 else 128 - code

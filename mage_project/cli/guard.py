"""Runs the work in a process of its own, so that killing the command never cuts a commit in two.

The command's process only waits. The worker sits in its own session and reads a pipe: when the pipe ends, the
command is gone (however it died, `kill -9` included), and the worker stops as after SIGTERM: it rolls back, or, when
its commit has begun, finishes that first. Only killing the worker itself, or the machine, can cut a commit; each
store's documentation says what holds then.

What the worker's blocks have started in its session ends with it. A worker that could not say by itself how it ended
is written down by the command.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from mage_project.history import testament
from mage_project.history.testament import Testament

#: How long a worker whose command is gone, or was told to stop, may take to roll back or to finish its commit.
FAREWELL_S = 120
#: How often a process that the worker has left is asked whether it has ended, and how long that goes on.
_ASKED_S, _PATIENCE_S = 0.02, 2.0
#: The signals that the command passes on to its worker.
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
#: The last signal: a worker that goes on is killed, as a run by itself would end there.
_LAST = 3


def guarded(
    work: Callable[[], int],
    *,
    killed: Callable[[str, str | None], None],
    starter: int | None = None,
    again: str | None = None,
) -> int:
    """Run `work` in the worker and return its exit code (128 + n when signal n ended it).

    `killed` is told how the worker ended that could not say so by itself, and the command that goes on with its run,
    or does the same `again`. `starter`: a descriptor that ends when the program is gone that has started the command;
    then the worker stops as well.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return work()
    sys.stdout.flush()
    sys.stderr.flush()
    alive, ours = os.pipe()
    left = testament.mine = Testament()
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)  # until both processes know what to do with them
    worker = os.fork()
    if worker == 0:
        os.close(ours)
        _Worker(work, [alive] if starter is None else [alive, starter], left).live()
    testament.mine = None
    os.close(alive)
    return _Watch(worker, left, again).until_it_ends(killed)


class _Worker:
    """The process that works."""

    def __init__(self, work: Callable[[], int], alive: list[int], left: Testament) -> None:
        self._work, self._alive, self._left = work, alive, left
        self._is_alone = False

    def live(self) -> None:
        """Never returns."""
        here, code = os.getpid(), 1
        try:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
            threading.Thread(target=self._stop_when_alone, name="guard", daemon=True).start()
            code = self._work()
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else 1
        except BaseException as error:  # noqa: BLE001 - the worker must end here, and say why
            code = _told(error)
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            except OSError:  # what was to be told is lost
                code = code or 1
            except ValueError:  # a block has closed it
                pass
            if os.getpid() == here:
                self._left.close()
                if self._is_alone:
                    os.killpg(0, signal.SIGKILL)  # itself, and what its blocks have started: nobody else would
            os._exit(code)

    def _stop_when_alone(self) -> None:
        try:
            select.select(self._alive, [], [])  # returns when the other end of one of them is closed
        except OSError:  # a block has closed it: nobody can tell any more
            return
        self._is_alone = self._left.is_alone = True
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(FAREWELL_S)
        os.killpg(0, signal.SIGKILL)


def _told(error: BaseException) -> int:
    """Say why the work has ended, and its exit code. A signal in the run's first or last moments is no fault of it."""
    from mage_project.runner.interrupts import Interrupted

    if isinstance(error, Interrupted):
        print(f"error: interrupted ({error})", file=sys.stderr)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        print("error: interrupted (Ctrl-C)", file=sys.stderr)
        return 128 + signal.SIGINT
    sys.excepthook(type(error), error, error.__traceback__)
    return 1


class _Watch:
    """What the command's own process does: wait, pass signals on, and see that nothing is left."""

    def __init__(self, worker: int, left: Testament, again: str | None) -> None:
        self._worker, self._left, self._again = worker, left, again
        self._signals: list[int] = []

    def until_it_ends(self, killed: Callable[[str, str | None], None]) -> int:
        before = {number: signal.signal(number, self._pass_on) for number in _PASSED_ON}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._lose_patience)
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
            _, status = os.waitpid(self._worker, 0)
        finally:
            signal.alarm(0)
            for number, handler in before.items():
                signal.signal(number, handler)
        self._end_what_is_left()
        return self._code(os.waitstatus_to_exitcode(status), killed)

    def _pass_on(self, signum: int, _frame: FrameType | None) -> None:
        """A block may have taken the signal for itself: the third one, or two minutes, end the worker all the same."""
        self._signals.append(signum)
        self._left.ask(signum)
        last = len(self._signals) >= _LAST
        os.kill(self._worker, signal.SIGKILL if last else signum)
        if signum != signal.SIGINT and len(self._signals) == 1:  # who sits there can press it again
            signal.alarm(FAREWELL_S)

    def _lose_patience(self, _signum: int, _frame: FrameType | None) -> None:
        os.kill(self._worker, signal.SIGKILL)

    def _end_what_is_left(self) -> None:
        """End the processes of the worker's session, with SIGTERM first."""
        from time import monotonic, sleep

        try:
            os.killpg(self._worker, signal.SIGTERM)
            until = monotonic() + _PATIENCE_S
            while monotonic() < until:
                sleep(_ASKED_S)
                os.killpg(self._worker, 0)
            os.killpg(self._worker, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # none is left; or one that is another user's, which stays
            return

    def _code(self, code: int, killed: Callable[[str, str | None], None]) -> int:
        how = None if self._left.is_over and code >= 0 else self._how(code)
        shown = (128 - code if code < 0 else 1) if how else code
        if how and code == -signal.SIGKILL and self._signals:
            shown = 128 + self._signals[-1]
        left = self._left.left
        is_ours = left is not None and _write_down(left, how, shown)
        next_ = (left and _resuming(left)) or self._again
        if how:
            killed(how, next_)
        if left is not None and is_ours and how:
            _tell(left, next_, alerts=not self._signals)
        return shown

    def _how(self, code: int) -> str:
        """How the worker ended, that should have said so itself."""
        lost = "what it had not committed is rolled back"
        if code >= 0:
            return f"the process of the run was ended from inside (os._exit({code}), most likely): {lost}"
        name = signal.Signals(-code).name
        if code == -signal.SIGKILL and self._signals:
            return f"the run did not stop at {signal.Signals(self._signals[-1]).name}, and was killed: {lost}"
        why = {
            signal.SIGKILL: "; was memory short?",
            signal.SIGSEGV: ": a library crashed",
            signal.SIGABRT: ": a library gave up",
            signal.SIGBUS: ": a library crashed, or a disk is full",
        }
        return f"the run was killed ({name}{why.get(signal.Signals(-code), '')}): {lost}"


def _write_down(left: dict[str, Any], how: str | None, code: int) -> bool:
    """Write into the history what the worker could not, and tell if it cannot be written at all.

    Whether people and other systems have to be told: nobody has taken notice before of a run that has not ended itself.
    """
    from mage_project.errors import HistoryUnavailable
    from mage_project.history.entries import put_left

    has_ended = left["row"]["ended_at"] is not None
    try:
        is_ours = put_left(left, _say, crashed=how, exit_code=code)
    except HistoryUnavailable as error:
        _say(f"warning: this run is not in the history: {error.what} ({error.where})")
        is_ours = True
    return is_ours and not has_ended


def _resuming(left: dict[str, Any]) -> str | None:
    from mage_project.runner.beginnings import resuming

    return resuming(Path(left["root"]), left["row"]["run_id"])


def _tell(left: dict[str, Any], again: str | None, *, alerts: bool) -> None:
    """Tell in the run's place. `alerts`: not where it was told to stop: somebody meant that."""
    from mage_project.runner.crashes import tell

    row = left["row"]
    for line in tell(Path(left["root"]), row, alerts=alerts and bool(row["alerts"]), again=again):
        _say(line)


def _say(line: str) -> None:
    print(line, file=sys.stderr)

"""Tells people what a scheduler sees and a run cannot tell by itself: that it was killed, never began, or is late."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project import masking
from mage_project.alerts.sending import send
from mage_project.alerts.settings import read_alerts
from mage_project.alerts.words import Occasion
from mage_project.errors import MageProjectError
from mage_project.history.logs import path_of
from mage_project.history.schedules import DueRun
from mage_project.history.starters import env_of_trigger
from mage_project.history.stores import Row
from mage_project.observers import observation
from mage_project.project.command import command
from mage_project.runner import beginnings
from mage_project.runner.crashes import AT_ONCE, tell_side_by_side
from mage_project.runner.log import Log
from mage_project.schedule.backfill_alerts import tell_of_crash
from mage_project.schedule.catalogue import catalogue
from mage_project.schedule.children import Child
from mage_project.schedule.launches import words_of

if TYPE_CHECKING:
    from mage_project.schedule.watchers import Watcher


class Alerted:
    """A watcher that tells another one, and people. The scheduler waits for none of them."""

    def __init__(self, inner: Watcher, root: Path) -> None:
        self._inner, self._root = inner, root
        self._children: dict[tuple[str, str, float], Child] = {}
        self._threads: list[threading.Thread] = []
        #: Runs that crashed and are still to be told of, by one thread: there may be many of them at once.
        self._lost: list[Row] = []
        self._lock = threading.Lock()

    def leading(self) -> None:
        self._inner.leading()

    def standing_by(self) -> None:
        self._inner.standing_by()

    def started(self, run: DueRun, child: Child) -> None:
        self._children[run.key] = child
        self._inner.started(run, child)

    def ended(self, run: DueRun) -> None:
        self._inner.ended(run)
        child = self._children.pop(run.key, None)
        if run.status == "crashed":
            why = "its process is gone (killed, or short of memory), and could not say why"
            self._alert(run, "failure", "crashed", f"{why}\n{run.reason or ''}".strip())
        elif run.status == "failed" and child is not None and _was_silent(child):
            self._alert(run, "failure", "failed", run.reason or "it could not begin")

    def late(self, run: DueRun, sla_s: int) -> None:
        self._inner.late(run, sla_s)
        child = self._children.get(run.key)
        known = replace(run, run_id=child.run_id) if child else run
        self._alert(known, "passed_sla", "late", f"it has not ended {sla_s:,} s after it was due (its trigger's sla)")

    def crashed(self, run: Row) -> None:
        """A run that nobody has waited for: people hear of it who would have, and other systems in any case."""
        self._inner.crashed(run)
        with self._lock:
            self._lost.append(run)
            is_first = len(self._lost) == 1
        if is_first:
            self._begin(self._tell_of_lost)

    def backfill_crashed(self, backfill: Row) -> None:
        self._inner.backfill_crashed(backfill)
        self._begin(self._tell_of_backfill, backfill)

    def _tell_of_backfill(self, backfill: Row) -> None:
        for line in tell_of_crash(self._root, backfill):
            self._inner.trouble(line.removeprefix("warning: "))

    def _tell_of_lost(self) -> None:
        more = True
        while more:
            some = self._lost[:AT_ONCE]
            self._do(self._tell, some)
            with self._lock:
                del self._lost[: len(some)]
                more = bool(self._lost)

    def _tell(self, some: Sequence[Row]) -> None:
        for line in tell_side_by_side(self._root, some):
            self._inner.trouble(line.removeprefix("warning: "))

    def trouble(self, what: str) -> None:
        self._inner.trouble(what)

    def stopping(self, signum: int) -> None:
        self._inner.stopping(signum)

    def close(self) -> None:
        """Wait for what is being sent as long as one telling may take, and say what is not."""
        deadline = time.monotonic() + observation.PATIENCE_S + 1
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if names := [run["run_id"] for run in self._lost]:
            self._inner.trouble(f"it may be that nobody is told of runs that crashed: {', '.join(names)}")

    def _alert(self, run: DueRun, event: str, status: str, why: str) -> None:
        self._begin(self._send, run, event, status, why)

    def _begin(self, work: Callable[..., None], *given: Any) -> None:
        """Do it in a thread of its own."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._do, args=(work, *given), name="alerts", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _do(self, work: Callable[..., None], *given: Any) -> None:
        try:
            work(*given)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with an alert, it is told of, and runs go on
            self._inner.trouble(f"alerts: {type(error).__name__}: {error}")

    def _send(self, run: DueRun, event: str, status: str, why: str) -> None:
        alerts, problems = read_alerts(self._root, run.pipeline)
        lines = [f"warning: {each.message} ({each.place(self._root)})" for each in problems]
        if event in alerts.on and alerts.channels:
            lines += map(str, send(alerts, self._occasion(run, event, status, why)))
        self._note(run, lines)

    def _note(self, run: DueRun, lines: list[str]) -> None:
        """Say what did not work, and put everything down in the log of the run, if there is one."""
        for line in lines:
            if line.startswith("warning: "):
                self._inner.trouble(f"alerts: {line.removeprefix('warning: ')}")
        if run.run_id is None or not lines:
            return
        log = Log(path_of(self._root, run.run_id))
        for line in lines:
            text = line.removeprefix("warning: ")
            log.write("info" if text == line else "warning", None, text, always=True)
        log.close()

    def _occasion(self, run: DueRun, event: str, status: str, why: str) -> Occasion:
        moment = datetime.fromtimestamp(run.due_at, UTC).replace(tzinfo=None)
        return Occasion(
            event=event,
            pipeline=run.pipeline,
            status=status,
            run_id=run.run_id,
            trigger=run.trigger_name,
            execution_time=str(moment),
            error=why,
            resume=self._again(run, moment) if event == "failure" else None,
            log=command(self._root, "runs", "logs", run.run_id) if run.run_id else None,
            host=socket.gethostname(),
        )

    def _again(self, run: DueRun, moment: datetime) -> str:
        if run.run_id and (resumes := beginnings.resuming(self._root, run.run_id)):
            return resumes
        try:
            trigger = catalogue(self._root).find(run.trigger_name, run.pipeline).trigger
            masking.hide(trigger.variables)
            words = words_of(trigger)
        except MageProjectError:  # the trigger is gone from its file
            words = []
        words = [*words, "--var", f"execution_date={moment.isoformat()}"]
        return command(self._root, "run", run.pipeline, *words, env=env_of_trigger())


def _was_silent(child: Child) -> bool:
    """Whether the run has told nobody: it never began, or a signal ended it that this scheduler did not mean."""
    return child.record is None or (child.exit_code() or 0) > 128

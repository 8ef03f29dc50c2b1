"""The scheduler: starts what is due, each run once, and leaves nothing to memory that the next one would need.

What is due stands in the history before it is started, and how it ended stands there afterwards. So it does not matter
how a scheduler ends: the next one, or the one that stands by, finds every run that was due and did not happen.
"""

from __future__ import annotations

import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Protocol

from mage_project.errors import HistoryUnavailable
from mage_project.history import schedules
from mage_project.history.runs import newest
from mage_project.history.schedules import DueRun, NotLeading, TriggerState
from mage_project.history.stores import Store, Transaction
from mage_project.schedule.catalogue import Catalogue, Entry, catalogue, stamp
from mage_project.schedule.children import Child
from mage_project.schedule.due import GRACE, Skipped, begin, due
from mage_project.schedule.launches import launch
from mage_project.schedule.recovery import recovered

#: Seconds between two looks at the clock, the files and the history; and at what the runs tell.
_LOOK_S = 1.0
_PAUSE_S = 0.1
#: How long the runs of a scheduler that is gone may take to be gone as well.
_FAREWELL_S = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Watcher(Protocol):
    """Told of everything that a scheduler does."""

    def leading(self) -> None: ...

    def standing_by(self) -> None: ...

    def started(self, run: DueRun, child: Child) -> None: ...

    def ended(self, run: DueRun) -> None: ...

    def late(self, run: DueRun, sla_s: int) -> None: ...

    def trouble(self, what: str) -> None: ...

    def stopping(self, signum: int) -> None: ...


class Scheduler:
    """One scheduler process of the project in `root`."""

    def __init__(
        self,
        root: Path,
        store: Store,
        watcher: Watcher,
        *,
        jobs: int = 4,
        local: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`jobs`: how many runs at once. `clock`: the moment, in UTC, with the zone."""
        self._root, self._store, self._watcher = root, store, watcher
        self._jobs, self._local, self._clock = jobs, local, clock
        self._children: dict[tuple[str, str, float], tuple[DueRun, Child]] = {}
        self._selector = selectors.DefaultSelector()
        self._catalogue = Catalogue(entries=(), unreadable={})
        self._stamp: object = None
        self._leads_since: float | None = None
        self._stood_by = False
        self._unwritten: list[DueRun] = []
        self._late: set[tuple[str, str, float]] = set()
        self._troubles: set[str] = set()
        self._signum: int | None = None
        self._next_look = 0.0

    def run(self) -> None:
        """Until a signal comes; then the runs that have begun roll back, or finish their commit."""
        with self._listening():
            while self._signum is None or self._children:
                self.step()
            self.look()

    def step(self) -> None:
        """A look, if it is time for one; then hear what the runs tell."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_S
            self.look()
        self._hear()

    def close(self) -> None:
        """Stop what still runs, and lead no longer."""
        for _, child in self._children.values():  # an error of ours: nothing is left running
            child.stop()
            child.close()
        self._children.clear()
        self._selector.close()
        with suppress(HistoryUnavailable):
            schedules.retire(self._store)

    # -- one look

    def look(self) -> None:
        """Lead, or try to; put down what has come due and what has ended; start what waits."""
        try:
            if self._lead():
                self._work()
        except NotLeading:
            self._step_down()
        except HistoryUnavailable as error:
            self._tell(str(error))

    def _lead(self) -> bool:
        if self._leads_since is not None:
            return True
        if schedules.lead(self._store):
            self._leads_since = time.monotonic()
            self._watcher.leading()
            return True
        if not self._stood_by:
            self._stood_by = True
            self._watcher.standing_by()
        return False

    def _step_down(self) -> None:
        """Another scheduler has taken over: what we have begun it will do again, unless it is through."""
        self._leads_since, self._stood_by = None, True
        self._unwritten.clear()
        for _, child in self._children.values():
            child.stop()
        self._watcher.standing_by()

    def _work(self) -> None:
        self._read()
        now = self._clock()
        waiting: list[tuple[Entry, DueRun]] = []
        with schedules.leading(self._store) as transaction:
            for run in self._unwritten:
                schedules.put_due(self._store, transaction, run)
            if self._signum is None:
                self._put_down_what_is_due(transaction, now)
                waiting = self._waiting(transaction, now)
        self._unwritten.clear()
        self._look_at_slas(now)
        for entry, run in waiting:
            self._start(entry, run)

    # -- what is due

    def _read(self) -> None:
        found = stamp(self._root)
        if found == self._stamp:
            return
        self._catalogue, self._stamp = catalogue(self._root), found
        problems = [*self._catalogue.unreadable.values(), *(entry.problem for entry in self._catalogue.entries)]
        for problem in problems:
            if problem is not None:
                self._tell(str(problem))

    def _put_down_what_is_due(self, transaction: Transaction, now: datetime) -> None:
        known = schedules.states(transaction)
        busy = {(run.pipeline, run.trigger_name): run for run in schedules.open_runs(transaction)}
        for entry in self._catalogue.entries:
            if entry.is_due_at_times:
                state = self._state(transaction, entry, known.pop(entry.key, None), now)
                if state.paused_at is None:
                    self._note(transaction, entry, state, busy.get(entry.key), now)
        for state in known.values():  # gone from the file, or switched off in it
            if state.pipeline not in self._catalogue.unreadable:
                schedules.forget(transaction, state.pipeline, state.trigger_name)

    def _state(self, transaction: Transaction, entry: Entry, state: TriggerState | None, now: datetime) -> TriggerState:
        """What is known of the trigger; a new one, or one with a new schedule, begins now."""
        if state is not None and state.schedule == entry.schedule:
            return state
        handled = begin(entry.trigger, entry.table, now) if state is None or entry.table is None else now
        fresh = TriggerState(
            pipeline=entry.pipeline,
            trigger_name=entry.trigger.name,
            schedule=entry.schedule,
            handled_at=_seconds(handled),
            paused_at=state.paused_at if state else None,
        )
        schedules.put_state(transaction, fresh)
        return fresh

    def _note(
        self, transaction: Transaction, entry: Entry, state: TriggerState, open_run: DueRun | None, now: datetime
    ) -> None:
        handled = None if state.handled_at is None else datetime.fromtimestamp(state.handled_at, UTC)
        found = due(entry.trigger, entry.table, handled, now, self._busy(entry, open_run))
        if found.handled == handled:
            return
        runs = [_due_run(entry, Skipped(first=each, last=each, count=1, reason="")) for each in found.runs]
        skipped = [_due_run(entry, each, status="skipped") for each in found.skipped]
        reached = replace(state, handled_at=_seconds(found.handled))
        schedules.note(self._store, transaction, reached, [*skipped, *runs])
        for each in skipped:
            self._watcher.ended(each)

    def _busy(self, entry: Entry, open_run: DueRun | None) -> str | None:
        """The run of the trigger that has not ended: one of a scheduler's, or one by hand."""
        if open_run is not None:
            return open_run.run_id or "due before"
        if not entry.trigger.settings.get("skip_if_previous_running"):
            return None
        runs = newest(self._store, pipeline=entry.pipeline, limit=20)
        return next((run.run_id for run in runs if run.trigger == entry.trigger.name and run.is_running), None)

    # -- what waits

    def _waiting(self, transaction: Transaction, now: datetime) -> list[tuple[Entry, DueRun]]:
        """What is to be started now, put down as running already: were we to die, it would be looked for."""
        entries = {entry.key: entry for entry in self._catalogue.entries}
        found: list[tuple[Entry, DueRun]] = []
        for run in schedules.open_runs(transaction):
            entry = entries.get((run.pipeline, run.trigger_name))
            if run.key in self._children or (entry is None and run.pipeline in self._catalogue.unreadable):
                continue
            if run.status == "running":
                self._recover(transaction, run)
            elif entry is None or (why := _hindrance(entry, run, now)):
                why = "the trigger is gone from its file" if entry is None else why
                self._finish(transaction, replace(run, status="skipped", reason=why))
            elif len(self._children) + len(found) < self._jobs:
                begun = replace(run, status="running", attempts=run.attempts + 1)
                schedules.put_due(self._store, transaction, begun)
                found.append((entry, begun))
        return found

    def _recover(self, transaction: Transaction, run: DueRun) -> None:
        """A run of a scheduler that is gone."""
        farewell = time.monotonic() - (self._leads_since or 0.0) < _FAREWELL_S
        now_known = recovered(self._store, run, may_still_begin=farewell)
        if now_known.status == "waiting":
            schedules.put_due(self._store, transaction, now_known)
        elif now_known.status != "running":
            self._finish(transaction, now_known)

    def _finish(self, transaction: Transaction, run: DueRun) -> None:
        schedules.put_due(self._store, transaction, run)
        self._watcher.ended(run)

    # -- while they run

    def _start(self, entry: Entry, run: DueRun) -> None:
        """Start it, unless a signal has come in between."""
        if self._signum is not None:
            self._unwritten.append(replace(run, status="waiting", attempts=run.attempts - 1))
            return
        try:
            child = launch(self._root, entry, datetime.fromtimestamp(run.due_at, UTC), local=self._local)
        except OSError as error:  # no more processes, a full disk: the next look tries again
            self._unwritten.append(replace(run, status="waiting"))
            self._tell(f"{run.pipeline} cannot be started: {error}")
            return
        self._selector.register(child.socket, selectors.EVENT_READ, child)
        self._children[run.key] = (run, child)
        if self._signum is not None:
            child.stop()
        self._watcher.started(run, child)

    def _hear(self) -> None:
        if not self._children:
            time.sleep(_PAUSE_S)
        for key, _ in self._selector.select(_PAUSE_S) if self._children else ():
            key.data.hear()
        for run, child in list(self._children.values()):
            if (code := child.exit_code()) is not None:
                self._collect(run, child, code)

    def _collect(self, run: DueRun, child: Child, code: int) -> None:
        self._selector.unregister(child.socket)
        del self._children[run.key]
        self._late.discard(run.key)
        child.close()
        ended = replace(run, run_id=child.run_id, status=child.status, reason=_reason(child))
        if self._signum is not None and code >= 128 and ended.status != "completed":
            ended = replace(ended, status="waiting", reason="interrupted with its scheduler")
        if self._leads_since is not None:
            self._unwritten.append(ended)
            self._watcher.ended(ended)

    def _look_at_slas(self, now: datetime) -> None:
        slas = {entry.key: entry.trigger.sla_s for entry in self._catalogue.entries}
        for key, (run, _) in self._children.items():
            sla_s = slas.get(key[:2])
            if sla_s and key not in self._late and now.timestamp() - run.due_at > sla_s:
                self._late.add(key)
                self._watcher.late(run, sla_s)

    def _tell(self, trouble: str) -> None:
        """Each trouble once, until there was another one."""
        if trouble not in self._troubles:
            self._troubles = {trouble}
            self._watcher.trouble(trouble)

    # -- signals

    @contextmanager
    def _listening(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, signum: int, _frame: FrameType | None) -> None:
        """Each signal is passed on: a run rolls back, or finishes its commit, at the first; it ends at the third."""
        if self._signum is None:
            self._signum = signum
            self._watcher.stopping(signum)
        for _, child in self._children.values():
            child.stop()


def _due_run(entry: Entry, found: Skipped, status: str = "waiting") -> DueRun:
    return DueRun(
        pipeline=entry.pipeline,
        trigger_name=entry.trigger.name,
        due_at=found.first.timestamp(),
        due_until=found.last.timestamp(),
        due_count=found.count,
        status=status,
        reason=found.reason or None,
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _hindrance(entry: Entry, run: DueRun, now: datetime) -> str | None:
    """Why what waits is not run after all."""
    if not entry.is_due_at_times:
        return f"the trigger is {entry.status(None)}"
    if run.attempts and entry.trigger.catch_up == "none" and now.timestamp() - run.due_at > GRACE.total_seconds():
        return "it was interrupted; catch_up: none"
    return None


def _reason(child: Child) -> str | None:
    """Why it did not complete, in a line."""
    if child.status == "completed":
        return None
    said = str(child.record.get("error") or "") if child.record else child.last_words()
    return said.splitlines()[0] if said else None

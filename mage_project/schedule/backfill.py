"""Runs the intervals of a plan, some at a time, each once, whoever else works on them."""

from __future__ import annotations

import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol, TypeVar

from mage_project.errors import HistoryUnavailable
from mage_project.history import backfills
from mage_project.history.backfills import ClaimKey
from mage_project.history.facts import moment_text, rows_at_end
from mage_project.history.leases import HEARTBEAT_S
from mage_project.history.runs import StoredRun, of_dates
from mage_project.history.stores import Store
from mage_project.observers.check_warnings import check_warnings
from mage_project.schedule import signals
from mage_project.schedule.children import Child, Command
from mage_project.schedule.intervals import Interval
from mage_project.schedule.planning import Planned, last_run
from mage_project.schedule.receipts import Outcome, Receipt

#: Seconds between two looks at what the runs, and other backfills, do.
_PAUSE_S = 0.1
_PAUSE_FOR_OTHERS_S = 1.0
#: How often a history that does not answer is asked again.
_TRIES = 20

T = TypeVar("T")


class Watcher(Protocol):
    """Told of everything that happens in a backfill."""

    def begun(self, runs: int) -> None: ...

    def started(self, child: Child) -> None: ...

    def progress(self, child: Child) -> None: ...

    def waiting(self, interval: Interval, why: str) -> None: ...

    def ended(self, outcome: Outcome, *, done: int, of: int) -> None: ...

    def stopping(self, signum: int) -> None: ...


class Backfill:
    """One execution of a plan."""

    def __init__(
        self, plan: Sequence[Planned], command: Command, store: Store, key: str, watcher: Watcher, *, jobs: int = 1
    ) -> None:
        """`key`: the variables' key, by which the history knows runs of the same kind."""
        self._plan = plan
        self._command = command
        self._store = store
        self._key = key
        self._watcher = watcher
        self._jobs = jobs
        self._waiting = deque(planned for planned in plan if planned.action == "run")
        self._of = len(self._waiting)
        self._elsewhere: deque[Planned] = deque()
        self._awaited: set[Interval] = set()
        self._children: list[Child] = []
        self._outcomes: dict[Interval, Outcome] = {}
        self._selector = selectors.DefaultSelector()
        self._signum: int | None = None
        self._next_look = self._next_beat = 0.0

    def execute(self, *, fail_fast: bool = False) -> Receipt:
        """Run what is to be run. The receipt has an outcome for every interval of the plan, in the plan's order."""
        started = time.monotonic()
        self._watcher.begun(self._of)
        with self._listening(), self._selector:
            while self._goes_on(fail_fast):
                self._start_some()
                self._hear()
                self._collect()
                self._beat()
        return Receipt(
            backfill_id=self._command.backfill_id,
            pipeline=self._command.pipeline,
            outcomes=[self._outcomes.get(planned.interval) or _not_run(planned) for planned in self._plan],
            seconds=time.monotonic() - started,
            signum=self._signum,
        )

    def _goes_on(self, fail_fast: bool) -> bool:
        if self._signum is not None or (fail_fast and any(each.is_failure for each in self._outcomes.values())):
            self._waiting.clear()
            self._elsewhere.clear()
        return bool(self._waiting or self._elsewhere or self._children)

    # -- starting

    def _start_some(self) -> None:
        if not self._waiting and self._elsewhere and time.monotonic() > self._next_look:
            self._next_look = time.monotonic() + _PAUSE_FOR_OTHERS_S
            self._waiting, self._elsewhere = self._elsewhere, deque()
        while self._waiting and len(self._children) < self._jobs and self._signum is None:
            self._start(self._waiting.popleft())

    def _start(self, planned: Planned) -> None:
        """Start the run, unless another process has it, or has done it since the plan was made."""
        interval = planned.interval
        claim = self._claim_of(interval)
        if other := self._patiently(lambda: backfills.claim(self._store, claim, self._command.backfill_id)):
            self._wait_for(planned, f"backfill {other} has it")
            return
        last = self._patiently(lambda: self._last(interval))
        if last and last.is_running:
            self._patiently(lambda: backfills.release(self._store, claim))
            self._wait_for(planned, f"run {last.run_id} is at it")
        elif last and _is_new(last, planned.last):
            self._patiently(lambda: backfills.release(self._store, claim))
            self._end(_done_by(interval, last))
        else:
            child = Child(self._command, interval)
            self._selector.register(child.socket, selectors.EVENT_READ, child)
            self._children.append(child)
            self._watcher.started(child)

    def _last(self, interval: Interval) -> StoredRun | None:
        runs = of_dates(self._store, self._command.pipeline, interval.start, interval.start)
        return last_run(interval, runs, self._key)

    def _wait_for(self, planned: Planned, why: str) -> None:
        self._elsewhere.append(planned)
        if planned.interval not in self._awaited:
            self._awaited.add(planned.interval)
            self._watcher.waiting(planned.interval, why)

    def _patiently(self, call: Callable[[], T]) -> T:
        """What the history answers; it may be busy for a while, but not for ever."""
        for _ in range(_TRIES):
            with suppress(HistoryUnavailable):
                return call()
            time.sleep(_PAUSE_FOR_OTHERS_S)
        return call()

    # -- while they run

    def _hear(self) -> None:
        if not self._children:
            time.sleep(_PAUSE_S)
        for key, _ in self._selector.select(_PAUSE_S) if self._children else ():
            child: Child = key.data
            child.hear()
            self._watcher.progress(child)

    def _collect(self) -> None:
        for child in list(self._children):
            if (code := child.exit_code()) is not None:
                self._selector.unregister(child.socket)
                self._children.remove(child)
                child.close()
                claim = self._claim_of(child.interval)
                self._patiently(lambda claim=claim: backfills.release(self._store, claim))  # type: ignore[misc]
                self._end(_outcome(child, code, stopped=self._signum is not None))

    def _beat(self) -> None:
        """A missed beat matters to other machines only, and they wait for several."""
        if time.monotonic() > self._next_beat:
            self._next_beat = time.monotonic() + HEARTBEAT_S
            with suppress(HistoryUnavailable):
                backfills.beat(self._store, self._command.backfill_id)

    def _end(self, outcome: Outcome) -> None:
        self._outcomes[outcome.interval] = outcome
        self._watcher.ended(outcome, done=len(self._outcomes), of=self._of)

    def _claim_of(self, interval: Interval) -> ClaimKey:
        date = moment_text(interval.start)
        return ClaimKey(pipeline=self._command.pipeline, variables_key=self._key, execution_date=date)

    # -- signals

    @contextmanager
    def _listening(self) -> Iterator[None]:
        try:
            with signals.handled(self._stop):
                yield
        finally:
            for child in self._children:  # an error of ours: nothing is left running
                child.stop()
                child.close()

    def _stop(self, signum: int, _frame: FrameType | None) -> None:
        """Each signal is passed on: a run rolls back, or finishes its commit, at the first; it ends at the third."""
        if self._signum is None:
            self._signum = signum
            self._watcher.stopping(signum)
        for child in self._children:
            child.stop()


def _outcome(child: Child, code: int, *, stopped: bool) -> Outcome:
    record = child.record or {}
    status = child.status
    if stopped and code >= 128 and status != "completed":
        status = "interrupted"
    return Outcome(
        interval=child.interval,
        status=status,  # type: ignore[arg-type]
        run_id=record.get("run_id") or child.run_id,
        rows=rows_at_end(record.get("blocks", ())),
        seconds=record.get("seconds"),
        error=record.get("error") if record else child.last_words(),
        log=str(child.log),
        warnings=tuple(check_warnings(record.get("blocks", ()))),
    )


def _is_new(last: StoredRun, planned: StoredRun | None) -> bool:
    """Whether the run has ended since the plan was made. A crashed one left nothing."""
    seen = planned is not None and planned.run_id == last.run_id and not planned.is_running
    return last.status != "crashed" and not seen


def _done_by(interval: Interval, last: StoredRun) -> Outcome:
    by = f"by backfill {last.backfill_id}" if last.backfill_id else f"by {last.run_id}"
    return Outcome(
        interval=interval,
        status=last.status,  # type: ignore[arg-type]
        run_id=last.run_id,
        rows=last.rows,
        seconds=last.seconds,
        error=last.error,
        why=f"meanwhile {by}",
    )


def _not_run(planned: Planned) -> Outcome:
    statuses = {"skip": "skipped", "not_yet": "not_yet", "run": "not_started"}
    return Outcome(
        interval=planned.interval,
        status=statuses[planned.action],  # type: ignore[arg-type]
        run_id=planned.last.run_id if planned.last else None,
        why=planned.why,
    )

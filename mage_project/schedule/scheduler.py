"""The scheduler: starts what is due, each run once, and leaves nothing to memory that the next one would need.

What is due stands in the history before it is started, and how it ended stands there afterwards. So it does not matter
how a scheduler ends: the next one, or the one that stands by, finds every run that was due and did not happen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from mage_project.errors import HistoryUnavailable
from mage_project.history import occasions, schedules
from mage_project.history.schedules import DueRun, NotLeading
from mage_project.history.stores import Store, Transaction
from mage_project.schedule import signals
from mage_project.schedule.absences import LINGERS_S, Absences
from mage_project.schedule.agenda import Agenda, Begun
from mage_project.schedule.catalogue import Catalogue, catalogue, stamp
from mage_project.schedule.children import Child
from mage_project.schedule.crashes import Crashes
from mage_project.schedule.fences import fenced, whole, words_of
from mage_project.schedule.recovery import ATTEMPTS
from mage_project.schedule.underway import Underway
from mage_project.schedule.watch.lookout import Look, Lookout
from mage_project.schedule.watch.noting import note
from mage_project.schedule.watchers import Troubles, Watcher

#: Seconds between two looks at the clock, the files and the history.
_LOOK_S = 1.0
#: How long the runs of a scheduler that is gone may take to be gone as well.
_FAREWELL_S = 10.0
#: A leader that hangs is followed after this: by a clock that stands still while the machine sleeps.
_SILENCE_S = 20.0


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
        lingers_s: float = LINGERS_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`jobs`: how many runs at once. `clock`: the moment, in UTC, with the zone.

        `lingers_s`: a trigger that is gone from its file for less has not been taken out.
        """
        self._root, self._store, self._watcher = root, store, watcher
        self._jobs, self._clock = jobs, clock
        self._underway = Underway(root, local=local)
        self._catalogue = Catalogue(root=root, entries=(), unreadable={})
        self._stamp: object = None
        self._lookout = Lookout(root, local=local)
        self._absences = Absences(lingers_s)
        self._crashes = Crashes(store, watcher.crashed, watcher.backfill_crashed)
        self._leads_since: float | None = None
        self._heard: float | None = None
        self._heard_at = 0.0
        self._unwritten: list[DueRun] = []
        self._troubles = Troubles(watcher)
        self._signum: int | None = None
        self._next_look = 0.0
        self._looked_at = time.monotonic()

    def health(self) -> dict[str, object] | None:
        """Whether it leads, and how many runs go on; None where it has not been able to look for long."""
        if time.monotonic() - self._looked_at > _SILENCE_S:
            return None
        return {"leads": self._leads_since is not None, "running": len(self._underway)}

    def run(self) -> None:
        """Until a signal comes; then the runs that have begun roll back, or finish their commit."""
        with signals.handled(self._stop):
            while self._signum is None or self._underway:
                self.step()
            self.look()

    def step(self) -> None:
        """A look, if it is time for one; then hear what the runs tell."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_S
            self.look()
        for run, child, code in self._underway.hear():
            self._collect(run, child, code)

    def close(self) -> None:
        """Stop what still runs, after an error of ours, and lead no longer."""
        self._underway.close()
        self._lookout.close()
        with suppress(HistoryUnavailable):
            schedules.retire(self._store)

    # -- one look

    def look(self) -> None:
        """Lead, or try to; put down what has come due and what has ended; start what waits."""
        try:
            if self._lead():
                self._work()
                self._crashes.look()
            self._looked_at = time.monotonic()
        except NotLeading:
            self._step_down()
        except Exception as error:  # noqa: BLE001 - the history, or the files: the next look may find them again
            self._troubles.tell(words_of(error))

    def _lead(self) -> bool:
        if self._leads_since is not None:
            return True
        hung = time.monotonic() - self._heard_at > _SILENCE_S
        heard = schedules.lead(self._store, hung_at=self._heard if hung else None)
        if heard is None:
            self._leads_since, self._heard = time.monotonic(), None
            self._watcher.leading()
            return True
        if self._heard is None:
            self._watcher.standing_by()
        if heard != self._heard:
            self._heard, self._heard_at = heard, time.monotonic()
        return False

    def _step_down(self) -> None:
        """Another scheduler has taken over: what we have begun it will do again, unless it is through."""
        self._leads_since = None
        self._unwritten.clear()
        self._underway.stop()

    def _work(self) -> None:
        self._read()
        now = self._clock()
        begun: list[Begun] = []
        told: list[DueRun] = []
        looks = self._looks(now)
        with schedules.leading(self._store) as transaction:
            for run in self._unwritten:
                schedules.put_due(self._store, transaction, run)
                if run.status != "waiting":
                    occasions.close(transaction, run)
            if self._signum is None:
                agenda = self._agenda(transaction, now)
                told += agenda.put_down()
                told += [each for look in looks for each in self._note(transaction, look, now)]
                begun, ended = agenda.take(self._jobs - len(self._underway), self._underway)
                told += ended
                for run in told:
                    occasions.close(transaction, run)
        self._unwritten.clear()
        self._lookout.noted(looks)
        for run in told:
            self._watcher.ended(run)
        slas_s = {entry.key: entry.trigger.sla_s for entry in self._catalogue.entries}
        for run, sla_s in self._underway.late(now.timestamp(), slas_s):
            self._watcher.late(run, sla_s)
        for each in begun:
            self._start(each)

    def _agenda(self, transaction: Transaction, now: datetime) -> Agenda:
        farewell = time.monotonic() - (self._leads_since or 0.0) < _FAREWELL_S
        return Agenda(
            store=self._store,
            transaction=transaction,
            catalogue=self._catalogue,
            now=now,
            may_still_begin=farewell,
            absences=self._absences,
            told=self._troubles.tell_of,
        )

    def _looks(self, now: datetime) -> list[Look]:
        """What the looks at things that are watched have found since the last time."""
        if self._signum is not None:
            return []
        self._lookout.begin(self._catalogue.entries, now.date())
        looks = self._lookout.take()
        for entry, (first, *more) in ((look.entry, look.troubles) for look in looks if look.troubles):
            self._troubles.tell_of(entry.key, f"{first} (and {len(more)} more addresses)" if more else first)
        return looks

    def _note(self, transaction: Transaction, look: Look, now: datetime) -> list[DueRun]:
        """Put down what a look has found; a trigger that is new waits for one that could look everywhere."""
        with fenced(look.entry.key, self._troubles.tell_of), whole(transaction):
            return note(self._store, transaction, self._root, look, self._lookout.fresh(look), now)
        return []

    def _read(self) -> None:
        found = stamp(self._root)
        if found == self._stamp:
            return
        self._catalogue, self._stamp = catalogue(self._root), found
        self._troubles.forget()
        for pipeline, flaw in self._catalogue.unreadable.items():
            self._troubles.tell_of((pipeline, ""), str(flaw))
        for pipeline, mistakes in self._catalogue.mistakes.items():
            each = (f"{mistake.message} ({mistake.place(self._root)})" for mistake in mistakes)
            self._troubles.tell_of((pipeline, ""), "\n  ".join(each))
        for entry in self._catalogue.entries:
            if entry.problem is not None:
                self._troubles.tell_of(entry.key, str(entry.problem))

    # -- while they run

    def _start(self, begun: Begun) -> None:
        """Start it, unless a signal has come in between."""
        run = begun.run
        if self._signum is not None:
            self._unwritten.append(replace(run, status="waiting", attempts=run.attempts - 1))
            return
        try:
            child = self._underway.start(begun)
        except OSError as error:  # no more processes, a full disk: the next look tries again
            self._unwritten.append(replace(run, status="waiting"))
            self._troubles.tell(f"{run.pipeline} cannot be started: {error}")
            return
        except Exception as error:  # noqa: BLE001 - what it is given cannot be handed over: that will stay so
            failed = replace(run, status="failed", reason=f"it cannot be started: {words_of(error)}")
            self._unwritten.append(failed)
            self._watcher.ended(failed)
            return
        if self._signum is not None:
            child.stop()
        self._watcher.started(run, child)

    def _collect(self, run: DueRun, child: Child, code: int) -> None:
        ended = replace(run, run_id=child.run_id, status=child.status, reason=_reason(child))
        if self._signum is not None and code >= 128 and ended.status != "completed":
            ended = replace(ended, status="waiting", reason="interrupted with its scheduler")
        elif child.was_killed and run.attempts < ATTEMPTS:
            ended = replace(ended, status="waiting", reason=f"it was killed: begun again ({ended.reason})")
        if self._leads_since is not None:
            self._unwritten.append(ended)
            self._watcher.ended(ended)

    # -- signals

    def _stop(self, signum: int, _frame: FrameType | None) -> None:
        """Each signal is passed on."""
        if self._signum is None:
            self._signum = signum
            self._watcher.stopping(signum)
        self._underway.stop()


def _reason(child: Child) -> str | None:
    """Why it did not complete, in a line."""
    if child.status == "completed":
        return None
    said = str(child.record.get("error") or "") if child.record else child.last_words()
    return said.splitlines()[0] if said else None

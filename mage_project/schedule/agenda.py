"""What is to be done, as it stands in the history: what has come due is put down there before anything is started."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mage_project.history import occasions, schedules
from mage_project.history.occasions import Occasion
from mage_project.history.runs import going_on, newest
from mage_project.history.schedules import DueRun, TriggerState
from mage_project.history.starters import new_run_id
from mage_project.history.stores import Store, Transaction
from mage_project.schedule.absences import Absences
from mage_project.schedule.catalogue import Catalogue, Entry, asked_for
from mage_project.schedule.due import AHEAD, GRACE, Skipped, begin, due
from mage_project.schedule.fences import Told, fenced
from mage_project.schedule.landing import lead
from mage_project.schedule.quotas import Quotas
from mage_project.schedule.recovery import recovered


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A run to be started now; `occasion` made it due where no timetable did."""

    entry: Entry
    run: DueRun
    occasion: Occasion | None = None


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """The agenda at one look: `now` by the scheduler's clock, in a transaction of the leader's.

    `may_still_begin`: whether the runs of a scheduler that is gone may be about to tell the history of themselves.
    """

    store: Store
    transaction: Transaction
    catalogue: Catalogue
    now: datetime
    may_still_begin: bool
    absences: Absences
    told: Told

    def put_down(self) -> list[DueRun]:
        """Put down what has come due since the last look. Returns what of it is skipped."""
        known = schedules.states(self.transaction)
        busy = {(run.pipeline, run.trigger_name): run for run in schedules.open_runs(self.transaction)}
        skipped: list[DueRun] = []
        there = {entry.key for entry in self.catalogue.entries if not entry.problem}
        self.absences.end(there)
        for entry in self.catalogue.entries:
            state = known.pop(entry.key, None) if entry.is_active else None
            with fenced(entry.key, self.told):
                if entry.is_due_at_times:
                    state = self._state(entry, state)
                    if state.paused_at is None:
                        skipped += self._note(entry, state, busy.get(entry.key))
        for key in known:  # switched off in the file, or gone from it
            if key in there or self._is_gone(key):
                schedules.forget(self.transaction, *key)
        return skipped

    def take(self, room: int, mine: Container[tuple[str, str, float]]) -> tuple[list[Begun], list[DueRun]]:
        """What is to be started now, at most `room`; and what has ended without us, or will not be run after all.

        The first are put down as running already: were we to die, they would be looked for. `mine` run here.
        """
        entries = {entry.key: entry for entry in self.catalogue.entries}
        known = schedules.states(self.transaction)
        begun: list[Begun] = []
        going, ended = self._recover(mine)
        quotas = Quotas(going, lambda: going_on(self.store))
        for run in schedules.open_runs(self.transaction):
            key = (run.pipeline, run.trigger_name)
            entry = entries.get(key)
            occasion = None if entry and entry.is_due_at_times else occasions.of_due(self.transaction, run)
            if occasion and occasion.kind in occasions.ASKED and not (entry and entry.is_active):
                entry = asked_for(self.catalogue.root, *key)
            is_absent = entry is None or entry.problem is not None
            if run.status == "running" or (is_absent and not self._is_gone(key)):
                continue
            after = self._after(run, entry, known.get(key), room - len(begun), quotas)
            if after != run:
                schedules.put_due(self.store, self.transaction, after)
            if entry and after.attempts > run.attempts:
                begun.append(Begun(entry=entry, run=after, occasion=occasion))
                quotas.begin(after)
            elif after.status == "skipped":
                ended.append(after)
        return begun, ended

    def _is_gone(self, key: tuple[str, str]) -> bool:
        """Whether a trigger that no file has now, or a broken one, is gone for good."""
        if key[0] in self.catalogue.unreadable:
            self.absences.end([key])
            return False
        return self.absences.is_for_good(key)

    def _recover(self, mine: Container[tuple[str, str, float]]) -> tuple[list[DueRun], list[DueRun]]:
        """The runs that go on, and those that have ended without us; what is to be done again waits."""
        going: list[DueRun] = []
        ended: list[DueRun] = []
        for run in schedules.open_runs(self.transaction):
            if run.status != "running":
                continue
            there = run.key in mine or run.pipeline in self.catalogue.unreadable
            after = run if there else recovered(self.store, run, may_still_begin=self.may_still_begin)
            if after != run:
                schedules.put_due(self.store, self.transaction, after)
            if after.status == "running":
                going.append(after)
            elif after.status != "waiting":
                ended.append(after)
        return going, ended

    def _after(self, run: DueRun, entry: Entry | None, state: TriggerState | None, room: int, quotas: Quotas) -> DueRun:
        """How a run that waits stands after this look."""
        if entry is None or (why := self._hindrance(run, entry)):
            return replace(run, status="skipped", reason=why if entry else "the trigger is gone from its file")
        if room < 1 or (state and state.paused_at is not None):
            return run
        if (full := quotas.reached(entry)) is None:
            return replace(run, status="running", reason=None, attempts=run.attempts + 1, run_id=new_run_id())
        if entry.concurrency.on_pipeline_run_limit_reached == "skip":
            return replace(run, status="skipped", reason=full)
        return replace(run, reason=f"waits: {full}")

    def _hindrance(self, run: DueRun, entry: Entry) -> str | None:
        """Why what waits is not run after all."""
        if not entry.is_active:
            return f"the trigger is {entry.status(None)}"
        ahead = AHEAD + lead(self.store, entry.pipeline, entry.trigger) if run.due_at > self.now.timestamp() else AHEAD
        if entry.table is not None and run.due_at - self.now.timestamp() > ahead.total_seconds():
            return "it is not due yet: the clock was wrong when it was noted"
        late = self.now.timestamp() - run.due_at > GRACE.total_seconds()
        is_missed = run.attempts and late and entry.trigger.catch_up == "none" and entry.is_due_at_times
        return "it was interrupted; catch_up: none" if is_missed else None

    def _state(self, entry: Entry, state: TriggerState | None) -> TriggerState:
        """What is known of the trigger; a new one, or one with a new schedule, begins now."""
        if state is not None and state.schedule == entry.schedule:
            return state
        anew = state is None or entry.table is None
        handled = begin(entry.trigger, entry.table, self.now) if anew else self.now
        fresh = TriggerState(
            pipeline=entry.pipeline,
            trigger_name=entry.trigger.name,
            schedule=entry.schedule,
            handled_at=_seconds(handled),
            paused_at=state.paused_at if state else None,
        )
        schedules.put_state(self.transaction, fresh)
        return fresh

    def _note(self, entry: Entry, state: TriggerState, open_run: DueRun | None) -> list[DueRun]:
        handled = None if state.handled_at is None else datetime.fromtimestamp(state.handled_at, UTC)
        earlier = lead(self.store, entry.pipeline, entry.trigger)
        found = due(entry.trigger, entry.table, handled, self.now, self._busy(entry, open_run), earlier)
        if found.handled == handled:
            return []
        runs = [_due_run(entry, Skipped(first=each, last=each, count=1, reason="")) for each in found.runs]
        skipped = [_due_run(entry, each, status="skipped") for each in found.skipped]
        reached = replace(state, handled_at=_seconds(found.handled))
        schedules.note(self.store, self.transaction, reached, [*skipped, *runs])
        return skipped

    def _busy(self, entry: Entry, open_run: DueRun | None) -> str | None:
        """The run of the trigger that has not ended: one of a scheduler's, or one by hand."""
        if open_run is not None and open_run.run_id is None:
            return f"due at {datetime.fromtimestamp(open_run.due_at, UTC):%Y-%m-%d %H:%M} UTC"
        if open_run is not None:
            return open_run.run_id
        if not entry.trigger.settings.skip_if_previous_running:
            return None
        runs = newest(self.store, pipeline=entry.pipeline, limit=20)
        return next((run.run_id for run in runs if run.trigger == entry.trigger.name and run.is_running), None)


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

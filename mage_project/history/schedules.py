"""Schedules in the history: which scheduler leads, up to when a trigger is dealt with, what became of each due run.

Moments are seconds since 1970. Whatever a leader writes is written only while it leads, in one transaction with the
question whether it does: of two schedulers that both believe it, one finds out before it starts anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from mage_project.history.leases import Holder, this_process
from mage_project.history.stores import Row, Store, Transaction

_ME = "host = :host AND pid = :pid AND pid_started = :pid_started"
_BEAT = f"UPDATE leader SET heartbeat_at = :now WHERE name = 'scheduler' AND {_ME}"  # noqa: S608 - no value is in it
_LED = "SELECT * FROM leader WHERE name = 'scheduler'"
_LEAD = """
INSERT INTO leader (name, host, pid, pid_started, since, heartbeat_at)
VALUES ('scheduler', :host, :pid, :pid_started, :now, :now) ON CONFLICT (name) DO NOTHING
"""
_RETIRE = f"DELETE FROM leader WHERE name = 'scheduler' AND {_ME}"  # noqa: S608 - no value is in it
_PUT_STATE = """
INSERT INTO trigger_state (pipeline, trigger_name, schedule, handled_at, paused_at)
VALUES (:pipeline, :trigger_name, :schedule, :handled_at, :paused_at) ON CONFLICT (pipeline, trigger_name)
DO UPDATE SET schedule = excluded.schedule, handled_at = excluded.handled_at
"""
_PAUSE = """
UPDATE trigger_state SET paused_at = :paused_at WHERE pipeline = :pipeline AND trigger_name = :trigger_name
"""
#: What was skipped may come due after all, when a clock was wrong; what has run never comes again.
_PUT_DUE = """
INSERT INTO due_run (pipeline, trigger_name, due_at, due_until, due_count, status, reason, run_id, attempts, noted_at)
VALUES (:pipeline, :trigger_name, :due_at, :due_until, :due_count, :status, :reason, :run_id, :attempts, :now)
ON CONFLICT (pipeline, trigger_name, due_at) DO UPDATE SET due_until = excluded.due_until,
  due_count = excluded.due_count, status = excluded.status, reason = excluded.reason, noted_at = excluded.noted_at
WHERE due_run.status = 'skipped'
"""
_KEY = "pipeline = :pipeline AND trigger_name = :trigger_name AND due_at = :due_at"
_SET_DUE = f"""
UPDATE due_run SET status = :status, reason = :reason, run_id = :run_id, attempts = :attempts, noted_at = :now
WHERE {_KEY}
"""  # noqa: S608 - no value is in it


@dataclass(frozen=True, kw_only=True)
class TriggerState:
    """`schedule`: the words that `handled_at` belongs to; None: no run of it was ever due."""

    pipeline: str
    trigger_name: str
    schedule: str
    handled_at: float | None = None
    paused_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class DueRun:
    """One due run; or, `skipped` for one `reason`, all `due_count` of them from `due_at` to `due_until`."""

    pipeline: str
    trigger_name: str
    due_at: float
    due_until: float
    due_count: int = 1
    status: str = "waiting"
    reason: str | None = None
    run_id: str | None = None
    attempts: int = 0

    @property
    def key(self) -> tuple[str, str, float]:
        return self.pipeline, self.trigger_name, self.due_at


class NotLeading(Exception):
    """Another scheduler leads."""


def lead(store: Store, *, hung_at: float | None = None) -> float | None:
    """Say that this process leads, or take over from one that is gone.

    None: we lead; else the moment at which the one that does has said so last. Where that is `hung_at` still, it is
    followed though its process is there.
    """
    me = asdict(this_process())
    with store.transaction(write=True) as transaction:
        now = store.now(transaction)
        transaction.run(_BEAT, now=now, **me)
        for row in transaction.run(_LED):
            if row["heartbeat_at"] == hung_at or not _holder(row).lives(row["heartbeat_at"], now):
                transaction.run(_RETIRE, **asdict(_holder(row)))
        transaction.run(_LEAD, now=now, **me)
        led = transaction.run(_LED)
    if not led:  # the other one has retired just now
        return now
    return None if _holder(led[0]) == this_process() else float(led[0]["heartbeat_at"])


def retire(store: Store) -> None:
    """Lead no longer: whoever stands by takes over at once."""
    with store.transaction(write=True) as transaction:
        transaction.run(_RETIRE, **asdict(this_process()))


def leader(store: Store) -> Holder | None:
    """Who leads, and lives."""
    with store.transaction() as transaction:
        now = store.now(transaction)
        living = [row for row in transaction.run(_LED) if _holder(row).lives(row["heartbeat_at"], now)]
    return _holder(living[0]) if living else None


@contextmanager
def leading(store: Store) -> Iterator[Transaction]:
    """A transaction of the leader's. `NotLeading` where another process has become it."""
    with store.transaction(write=True) as transaction:
        transaction.run(_BEAT, now=store.now(transaction), **asdict(this_process()))  # locks the row, in Postgres
        if not _leads(transaction):
            raise NotLeading
        yield transaction


def states(transaction: Transaction) -> dict[tuple[str, str], TriggerState]:
    """What is known of each trigger, by pipeline and name."""
    rows = transaction.run("SELECT * FROM trigger_state")
    return {(row["pipeline"], row["trigger_name"]): TriggerState(**row) for row in rows}


def put_state(transaction: Transaction, state: TriggerState) -> None:
    """Put down what is known of a trigger. One that is there stays paused, or not, as it is."""
    transaction.run(_PUT_STATE, **asdict(state))


def pause(transaction: Transaction, state: TriggerState) -> None:
    """Put it down as paused, or not, as `paused_at` says: a scheduler never changes that."""
    put_state(transaction, state)
    key = {"pipeline": state.pipeline, "trigger_name": state.trigger_name}
    transaction.run(_PAUSE, paused_at=state.paused_at, **key)


def forget(transaction: Transaction, pipeline: str, trigger_name: str) -> None:
    """The trigger is gone from its file: nothing of it is due any more. What has run stays."""
    key = {"pipeline": pipeline, "trigger_name": trigger_name}
    transaction.run("DELETE FROM trigger_state WHERE pipeline = :pipeline AND trigger_name = :trigger_name", **key)


def note(store: Store, transaction: Transaction, state: TriggerState, found: Iterable[DueRun]) -> None:
    """Put down that the trigger is dealt with up to `state.handled_at`, and the due runs that were found."""
    put_state(transaction, state)
    put_found(store, transaction, found)


def put_found(store: Store, transaction: Transaction, found: Iterable[DueRun]) -> None:
    """Put down due runs that were found."""
    now = store.now(transaction)
    for due in found:
        transaction.run(_PUT_DUE, now=now, **asdict(due))


def put_due(store: Store, transaction: Transaction, due: DueRun) -> None:
    """Put down how a due run stands now."""
    values = asdict(due)
    rest = {name: values[name] for name in ("pipeline", "trigger_name", "due_at", "status", "reason", "run_id")}
    transaction.run(_SET_DUE, now=store.now(transaction), attempts=due.attempts, **rest)


def open_runs(transaction: Transaction) -> list[DueRun]:
    """The due runs that are waiting or running, in the order in which they were due."""
    return _due(transaction.run("SELECT * FROM due_run WHERE status IN ('waiting', 'running') ORDER BY due_at"))


def due_runs(transaction: Transaction, pipeline: str, trigger_name: str, *, limit: int = 20) -> list[DueRun]:
    """The last due runs of a trigger, newest first."""
    rows = transaction.run(
        "SELECT * FROM due_run WHERE pipeline = :pipeline AND trigger_name = :trigger_name "
        "ORDER BY due_at DESC LIMIT :limit",
        pipeline=pipeline,
        trigger_name=trigger_name,
        limit=limit,
    )
    return _due(rows)


def due_run(transaction: Transaction, pipeline: str, trigger_name: str, due_at: float) -> DueRun | None:
    """The run of the trigger that was due at that moment."""
    key = {"pipeline": pipeline, "trigger_name": trigger_name, "due_at": due_at}
    found = _due(transaction.run(f"SELECT * FROM due_run WHERE {_KEY}", **key))  # noqa: S608 - no value is in it
    return found[0] if found else None


def _due(rows: Sequence[Row]) -> list[DueRun]:
    return [DueRun(**{name: value for name, value in row.items() if name != "noted_at"}) for row in rows]


def _leads(transaction: Transaction) -> bool:
    return any(_holder(row) == this_process() for row in transaction.run(_LED))


def _holder(row: Row) -> Holder:
    return Holder(host=row["host"], pid=row["pid"], pid_started=row["pid_started"])

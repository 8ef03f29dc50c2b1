"""One scheduler leads, in both stores; what has run is never due again; a pause outlives what a leader writes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from mage_project.history import schedules
from mage_project.history.leases import STALE_S, Holder, this_process
from mage_project.history.schedules import DueRun, NotLeading, TriggerState
from mage_project.history.stores import Store

#: Leads until it is told to end.
LEAD = """
from pathlib import Path
from mage_project.history import schedules, stores
assert schedules.lead(stores.store_of(Path("."), print)) is None
print(flush=True)
input()
"""
KEY = {"pipeline": "p", "trigger_name": "t"}


def let_another_lead(store: Store, holder: Holder, *, seconds_ago: float) -> None:
    with store.transaction(write=True) as transaction:
        transaction.run("DELETE FROM leader")
        transaction.run(
            "INSERT INTO leader VALUES ('scheduler', :host, :pid, :pid_started, :at, :at)",
            at=store.now(transaction) - seconds_ago,
            **asdict(holder),
        )


def due_of(store: Store) -> list[DueRun]:
    with store.transaction() as transaction:
        return schedules.due_runs(transaction, "p", "t")


@pytest.fixture
def other(any_store: Store, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that leads."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", LEAD], cwd=tmp_path, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_leader_that_is_gone_is_followed_at_once(any_store: Store, other: subprocess.Popen[str]) -> None:
    assert schedules.lead(any_store) is not None
    other.kill()
    other.wait()
    assert schedules.lead(any_store) is None
    assert schedules.leader(any_store) == this_process()
    schedules.retire(any_store)
    assert schedules.leader(any_store) is None


def test_a_leader_that_hangs_is_followed_where_it_has_been_silent(
    any_store: Store, other: subprocess.Popen[str]
) -> None:
    heard = schedules.lead(any_store)
    assert heard is not None
    assert schedules.lead(any_store, hung_at=heard - 1) == heard
    assert schedules.lead(any_store, hung_at=heard) is None
    assert other.poll() is None


def test_a_leader_of_another_machine_is_followed_when_it_is_silent(any_store: Store) -> None:
    far = replace(this_process(), host="far")
    let_another_lead(any_store, far, seconds_ago=STALE_S / 2)
    assert schedules.lead(any_store) is not None
    let_another_lead(any_store, far, seconds_ago=STALE_S + 1)
    assert schedules.lead(any_store) is None


def test_who_has_lost_the_lead_writes_nothing(any_store: Store) -> None:
    assert schedules.lead(any_store) is None
    let_another_lead(any_store, replace(this_process(), host="far"), seconds_ago=0)
    with pytest.raises(NotLeading), schedules.leading(any_store):
        raise AssertionError("it must not come so far")


def test_what_has_run_is_not_due_again_and_what_was_skipped_may_be(any_store: Store) -> None:
    state = TriggerState(schedule="@daily", handled_at=20.0, **KEY)
    ran = DueRun(due_at=10.0, due_until=10.0, **KEY)
    skipped = DueRun(due_at=20.0, due_until=30.0, due_count=2, status="skipped", reason="asleep", **KEY)
    with any_store.transaction(write=True) as transaction:
        schedules.note(any_store, transaction, state, [ran, skipped])
        schedules.put_due(any_store, transaction, replace(ran, status="completed", run_id="RUN"))
        schedules.note(any_store, transaction, state, [ran, replace(skipped, due_until=20.0, status="waiting")])
        waiting = schedules.open_runs(transaction)
    assert [run.due_at for run in waiting] == [20.0]
    assert [(run.status, run.run_id) for run in due_of(any_store)] == [("waiting", None), ("completed", "RUN")]


def test_a_pause_outlives_what_a_leader_writes(any_store: Store) -> None:
    state = TriggerState(schedule="@daily", handled_at=1.0, **KEY)
    with any_store.transaction(write=True) as transaction:
        schedules.pause(transaction, replace(state, paused_at=5.0))
        schedules.note(any_store, transaction, replace(state, handled_at=9.0), [])
        [known] = schedules.states(transaction).values()
    assert (known.handled_at, known.paused_at) == (9.0, 5.0)

"""An interval is claimed by one backfill, in both stores, until it is released or the claimer is gone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from mage_project.history import backfills
from mage_project.history.backfills import ClaimKey
from mage_project.history.crashes import Silence
from mage_project.history.stores import Store

#: Claims an interval, and is gone.
CLAIM = """
from pathlib import Path
from mage_project.history import backfills, stores
key = backfills.ClaimKey(pipeline="p", variables_key="k", execution_date="2020-01-01T00:00:00")
assert backfills.claim(stores.store_of(Path("."), print), key, "one") is None
"""


def test_one_backfill_has_an_interval(any_store: Store) -> None:
    key = ClaimKey(pipeline="p", variables_key="k", execution_date="2019-01-01T00:00:00")
    assert backfills.claim(any_store, key, "one") is None
    assert backfills.claim(any_store, key, "two") == "one"
    assert backfills.claim(any_store, replace(key, execution_date="2019-02-01T00:00:00"), "two") is None
    backfills.release(any_store, key)
    assert backfills.claim(any_store, key, "two") is None


def test_a_dead_claimer_is_taken_over(any_store: Store) -> None:
    subprocess.run([sys.executable, "-c", CLAIM], cwd=Path(__file__).parents[2], check=True)
    key = ClaimKey(pipeline="p", variables_key="k", execution_date="2020-01-01T00:00:00")
    assert backfills.claim(any_store, key, "two") is None


def test_only_an_unfinished_backfill_is_gone_on_with(any_store: Store) -> None:
    backfills.begin(any_store, "b1", "p", {}, "same")
    assert backfills.unfinished(any_store, "same") is None, "it goes on by itself"
    backfills.end(any_store, "b1", "interrupted", {})
    assert backfills.unfinished(any_store, "same") == "b1"
    backfills.begin(any_store, "b1", "p", {}, "same")
    backfills.end(any_store, "b1", "completed", {})
    assert backfills.unfinished(any_store, "same") is None


def test_a_backfill_that_is_lost_is_written_down_once_and_only_where_somebody_is_to_hear(any_store: Store) -> None:
    for name, again in (("b1", "the command"), ("b2", None)):
        backfills.begin(any_store, name, "p", {}, name, again=again)
    assert Silence(any_store, of=backfills.OPEN).lost() == [], "they live"
    with any_store.transaction(write=True) as transaction:
        transaction.run("UPDATE backfill SET heartbeat_at = heartbeat_at - 60, pid_started = '1'")
    [row] = Silence(any_store, of=backfills.OPEN).lost()
    found = backfills.crash(any_store, row)
    assert found is not None
    assert (found["backfill_id"], found["status"], found["again"], found["runs"]) == (
        "b1",
        "crashed",
        "the command",
        {},
    )
    assert backfills.crash(any_store, row) is None
    assert (backfills.some_are_open(any_store), backfills.unfinished(any_store, "b1")) == (False, "b1")

"""Runs that write one table of BigQuery at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from mage_project.errors import StoreUnavailable
from mage_project.io import bigquery_locks, commits
from mage_project.io.bigquery import BigQuery
from mage_project.io.bigquery_locks import Lock, Overtaken, _Queue
from mage_project.io.bigquery_tables import TableName, table_name
from tests.io.conftest import Database
from tests.io.faulty_proxy import FaultyProxy

TABLE = "at_once.numbers"
BY_ID = {"if_exists": "append", "unique_constraints": ["id"], "unique_conflict_method": "UPDATE"}


@pytest.fixture
def store(bigquery_env: dict[str, str]) -> Iterator[BigQuery]:
    with BigQuery() as store:
        yield store
        store.client.delete_dataset("at_once", delete_contents=True, not_found_ok=True)


@pytest.fixture
def name(store: BigQuery) -> TableName:
    store.client.create_dataset("at_once")
    return table_name(TABLE, store.client.project)


def numbers(*ids: int) -> pd.DataFrame:
    return pd.DataFrame({"id": ids})


def ids(store: BigQuery) -> list[int]:
    return [row["id"] for row in store.execute_query_raw(f"SELECT id FROM {TABLE} ORDER BY id")]


def tables(store: BigQuery) -> list[str]:
    return [table.table_id for table in store.client.list_tables("at_once")]


def test_of_two_merges_that_found_no_table_the_later_one_doubles_nothing(store: BigQuery) -> None:
    with commits.collecting() as late:
        store.export(numbers(1, 2), TABLE, **BY_ID)
    store.export(numbers(1, 3), TABLE, **BY_ID)
    with pytest.raises(StoreUnavailable, match="another run has made"):
        late.commit_all()
    assert (ids(store), tables(store)) == ([1, 3], ["numbers"])


def test_a_merge_takes_no_column_away_that_another_run_has_added(store: BigQuery) -> None:
    store.export(numbers(1), TABLE)
    with commits.collecting() as late:
        store.export(numbers(2), TABLE, **BY_ID)
    store.alter_table(numbers(1).assign(more="x"), TABLE)
    with pytest.raises(StoreUnavailable, match="another run has changed"):
        late.commit_all()
    assert ids(store) == [1]


@pytest.fixture
def held(store: BigQuery, name: TableName, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lock]:
    """Held by another run: by a thread of its own."""
    monkeypatch.setattr(bigquery_locks, "_LOOK_S", 0.05)
    lock = Lock(store.client, name, retry_s=5)
    with ThreadPoolExecutor(1) as other:
        other.submit(lock.take).result()
    yield lock
    lock.release()


def expire(store: BigQuery, name: TableName) -> None:
    """Have the lock end now."""
    lock = store.client.get_table(str(Lock(store.client, name, retry_s=5)._name))
    lock.expires = datetime.now(UTC) + timedelta(seconds=0.5)
    store.client.update_table(lock, ["expires"])
    time.sleep(0.5)


def test_who_comes_second_waits_and_is_told_for_whom(
    store: BigQuery, name: TableName, held: Lock, capsys: pytest.CaptureFixture[str]
) -> None:
    second = threading.Thread(target=lambda: store.export(numbers(1), TABLE))
    second.start()
    while "is being written by mage-project" not in capsys.readouterr().out:
        time.sleep(0.02)
    assert held.renew()
    assert "numbers" not in tables(store)
    held.release()
    second.join(30)
    assert (ids(store), tables(store)) == ([1], ["numbers"])


def test_who_waits_is_patient_as_long_as_there_are_signs_of_others(
    name: TableName, held: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bigquery_locks, "_PATIENCE_S", 0.0)
    queue = _Queue(name)
    for _ in range(3):
        assert held.renew()
        queue.wait(held._there())
    with pytest.raises(Overtaken, match="written by mage-project, which has given no sign"):
        queue.wait(held._there())


def test_nothing_is_committed_elsewhere_while_another_run_holds_the_table(
    store: BigQuery, database: Database, held: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load() -> None:
        with commits.collecting() as collected:
            database.export(numbers(1))
            store.export(numbers(1), TABLE)
        collected.commit_all()

    monkeypatch.setattr(bigquery_locks, "_PATIENCE_S", 0.0)
    with pytest.raises(StoreUnavailable, match="written by mage-project, which has given no sign") as caught:
        load()
    assert (caught.value.transient, database.tables(), len(tables(store))) == (True, [], 1)
    held.release()
    load()
    assert (database.rows(), ids(store), tables(store)) == ([(1,)], [1], ["numbers"])


def test_a_commit_is_known_to_wait_before_the_first_frame_and_forgotten_after_a_failure(store: BigQuery) -> None:
    def frames() -> Iterator[pd.DataFrame]:
        assert len(collected) == 1
        yield numbers(1)
        raise ValueError("the file ends too early")

    with commits.collecting() as collected, pytest.raises(ValueError, match="too early"):
        store.export(frames(), TABLE)
    assert (len(collected), tables(store)) == (0, [])


def test_two_exports_of_one_run_do_not_wait_for_each_other(store: BigQuery, name: TableName) -> None:
    with commits.collecting() as collected:
        store.export(numbers(1), TABLE, if_exists="append")
        store.export(numbers(2), TABLE, if_exists="append")
    collected.prepare_all()
    assert len(tables(store)) == 3  # two that are staged, and one lock
    collected.commit_all()
    assert (ids(store), tables(store)) == ([1, 2], ["numbers"])


def test_the_lock_of_a_run_that_is_gone_is_taken_over_and_not_given_back(
    store: BigQuery, name: TableName, held: Lock
) -> None:
    expire(store, name)
    mine = Lock(store.client, name, retry_s=5)
    with mine.held():
        assert not held.renew()
        held.release()
        assert mine.renew()
    assert tables(store) == []


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_lock_whose_answer_was_lost_is_known_as_ones_own(
    store: BigQuery, name: TableName, bigquery_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    proxy = FaultyProxy(bigquery_env["BIGQUERY_EMULATOR_HOST"])
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
    lost = iter(["lost"])
    proxy.fault = lambda asked, path: next(lost, None) if asked == method else None
    with BigQuery() as behind:
        lock = Lock(behind.client, name, retry_s=5)
        with lock.held():
            lock.renew()
            assert lock.renew()
    proxy.close()
    assert (list(lost), tables(store)) == ([], [])

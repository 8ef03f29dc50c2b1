"""Runs that write one table of BigQuery at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from mage_project.errors import StoreUnavailable
from mage_project.io import bigquery_locks, commits, holders
from mage_project.io.bigquery import BigQuery
from mage_project.io.bigquery_locks import PREFIX, Lock, alone
from mage_project.io.bigquery_tables import TableName, table_name

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


def test_who_comes_second_waits_and_is_told_for_whom(
    store: BigQuery, name: TableName, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bigquery_locks, "_LOOK_S", 0.05)
    with ExitStack() as first, holders.named("run a of p"):
        lock = first.enter_context(alone(store.client, name, retry_s=5))
        second = threading.Thread(target=lambda: store.export(numbers(1), TABLE))
        second.start()
        while "is being written by run a of p" not in capsys.readouterr().out:
            time.sleep(0.02)
        lock.renew()
        assert "numbers" not in tables(store)
    second.join(30)
    assert (ids(store), tables(store)) == ([1], ["numbers"])


def test_the_lock_of_a_run_that_is_gone_is_taken_over_once(
    store: BigQuery, name: TableName, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Lock(store.client, name, retry_s=5)
    monkeypatch.setattr(bigquery_locks, "_PATIENCE_S", 0.0)
    with pytest.raises(StoreUnavailable, match="written by another run"):
        store.export(numbers(1), TABLE)
    gone._table.expires = datetime.now(UTC) + timedelta(seconds=1)
    store.client.update_table(gone._table, ["expires"])
    monkeypatch.setattr(bigquery_locks, "_PATIENCE_S", 30.0)
    store.export(numbers(1), TABLE)
    assert not [table for table in tables(store) if table.startswith(PREFIX)]

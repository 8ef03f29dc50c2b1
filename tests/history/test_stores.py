"""The tables are the same however they came to be, and hold the same in SQLite and in Postgres."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from mage_project.errors import HistoryUnavailable, UsageError
from mage_project.history import crashes
from mage_project.history.entries import put_left
from mage_project.history.migrating import upgrade
from mage_project.history.runs import details, newest
from mage_project.history.sqlite import LONG_LOG_BYTES, SqliteStore
from mage_project.history.stores import REVISION, store_of
from mage_project.history.verifying import verify
from mage_project.project import Project
from mage_project.runner.running import run_pipeline


def test_the_schema_is_what_the_migrations_leave(store: SqliteStore, tmp_path: Path) -> None:
    newest(store)
    migrated = tmp_path / "migrated.db"
    upgrade(f"sqlite:///{migrated}", found=None, place="")
    assert _shape(store.path) == _shape(migrated)


def _shape(path: Path) -> list[tuple[object, ...]]:
    """Every column with type, null and key, and every index with its columns."""
    connection = sqlite3.connect(path)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = [(table, *row[1:6]) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")]
    indexes = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    )
    found += [(name, *row[1:]) for (name,) in indexes for row in connection.execute(f"PRAGMA index_info({name})")]
    connection.close()
    return [tuple(str(value).replace("DOUBLE PRECISION", "DOUBLE") for value in row) for row in found]


def test_processes_that_begin_a_history_together_all_find_it(store: SqliteStore) -> None:
    together(lambda: newest(store))


def together(work: Callable[[], object]) -> None:
    """Do the work in twelve threads at once; raises what one of them raised."""
    with ThreadPoolExecutor(12) as pool:
        for future in [pool.submit(work) for _ in range(12)]:
            future.result()


def test_an_old_history_is_brought_up_to_date_once(store: SqliteStore, project: Project) -> None:
    store.path.parent.mkdir()
    upgrade(f"sqlite:///{store.path}", found=None, place="", to="0001")
    together(lambda: newest(store))
    record = run_pipeline(project, "p")
    assert details(store, record.run_id).run.status == "completed"
    assert verify(store).receipts == 1


def test_a_history_of_a_newer_version_is_left_alone(store: SqliteStore, project: Project) -> None:
    newest(store)
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert run_pipeline(project, "p").status == "completed"
    with pytest.raises(HistoryUnavailable, match="newer version"):
        newest(store)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        pytest.param(["PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"], "lsof", id="locked"),
        pytest.param(["DROP TABLE run"], "move the file away", id="with other tables"),
    ],
)
def test_what_hinders_a_history_is_told_with_what_to_do(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, statements: list[str], words: str
) -> None:
    monkeypatch.setattr("mage_project.history.sqlite.BUSY_S", 0.1)
    newest(store)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        for statement in statements:
            other.execute(statement)
        with pytest.raises(HistoryUnavailable, match="the history cannot be used") as caught:
            newest(store)
    assert words in str(caught.value)


def test_postgres_holds_it_for_many_machines(
    project: Project, postgres_env: dict[str, str], own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAGE_PROJECT_HISTORY", own_database)
    record = run_pipeline(project, "p")
    store = store_of(project.root, print)
    assert store is not None
    assert details(store, record.run_id[:-2]).run.rows == 3
    assert (verify(store).findings, verify(store).receipts) == ([], 1)
    assert postgres_env["POSTGRES_PASSWORD"] not in store.place
    with store.transaction() as transaction:
        assert [row["version_num"] for row in transaction.run("SELECT version_num FROM alembic_version")] == [REVISION]
        [ended] = transaction.run("SELECT * FROM run")
        transaction.run("UPDATE run SET status = 'running', ended_at = NULL, host = 'another', heartbeat_at = 0.1")
    [row] = crashes.Silence(store, patience_s=0).lost()
    assert row["run_id"] == record.run_id
    assert [crashes.close(store, row) is None for _ in range(2)] == [False, True]
    left = {"root": str(project.root), "row": dict(row), "blocks": []}
    assert not put_left(left, print, crashed="killed", exit_code=137), "somebody has taken notice already"
    with store.transaction(write=True) as transaction:
        transaction.run("DELETE FROM block_run")
    left = {**left, "row": dict(ended)}
    assert put_left(left, print, crashed=None, exit_code=0), "what the run has said itself counts"
    assert newest(store)[0].status == "completed"


def test_the_log_of_a_history_stays_short_however_many_write_one_after_another(store: SqliteStore) -> None:
    log = Path(f"{store.path}-wal")
    lengths = []
    for place in range(60):
        with store.transaction(write=True) as transaction:
            receipt = {"place": place, "body": "x" * 200_000}
            transaction.run("INSERT INTO receipt VALUES (:place, NULL, 'run', :body, '', '')", **receipt)
        lengths.append(log.stat().st_size if log.exists() else 0)
    assert max(lengths) < 2 * LONG_LOG_BYTES
    with store.transaction() as transaction:
        assert transaction.run("SELECT count(*) AS n FROM receipt") == [{"n": 60}]


def test_a_kind_of_store_that_there_is_not_is_refused_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAGE_PROJECT_HISTORY", "mysql://etl:hunter2hunter2@db/etl")
    with pytest.raises(UsageError, match="MAGE_PROJECT_HISTORY names a kind of store that there is not") as caught:
        store_of(tmp_path, print)
    assert "hunter2" not in str(caught.value)
    assert [*tmp_path.iterdir()] == []

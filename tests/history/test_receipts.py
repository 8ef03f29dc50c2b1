"""Each run that ends leaves a receipt, and a change of it, or of the run, shows."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mage_project.errors import UsageError
from mage_project.history import crashes
from mage_project.history.entries import put
from mage_project.history.receipts import receipt_of, seal
from mage_project.history.runs import details
from mage_project.history.sqlite import SqliteStore
from mage_project.history.stores import Row, Store
from mage_project.history.verifying import verify
from mage_project.project import Project
from mage_project.runner.running import run_pipeline
from tests.history.conftest import BLOCKS, CODE
from tests.projects import write_project

READING = {
    "load": """
        import pandas as pd

        @data_loader
        def f(**kwargs):
            frame = pd.DataFrame({'a': [1, 2, 3]})
            frame.attrs['files'] = [{'url': 'https://a.b/c?sig=letmeinplease', 'size': 12, 'etag': 'e1', 'rows': 3}]
            return frame
    """,
    "save": """
        @data_exporter
        def f(frame, commit_later, **kwargs):
            commit_later(commit=lambda: None, rollback=lambda: None, what='the table t')
    """,
}


@pytest.fixture
def runs(project: Project, store: SqliteStore) -> list[str]:
    """Three runs that are in the history."""
    return [run_pipeline(project, "p", {"n": place, "password": "hunter2hunter2"}).run_id for place in range(3)]


def execute(path: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_a_run_that_lived_after_all_has_the_last_word(project: Project, store: SqliteStore) -> None:
    run_pipeline(project, "p")
    with store.transaction() as transaction:
        [row] = transaction.run("SELECT * FROM run")
    ended = {**row, "run_id": "x"}
    put(store, {**ended, "status": "running", "ended_at": None})
    with store.transaction() as transaction:
        [open_] = transaction.run("SELECT * FROM run WHERE run_id = 'x'")
    assert crashes.close(store, {**open_, "heartbeat_at": 0.0}) is None, "it has given a sign of life since"
    assert crashes.close(store, open_) is not None
    assert (verify(store).findings, receipt_of(store, "x")["status"]) == ([], "crashed")
    put(store, ended, [])
    assert (verify(store).findings, receipt_of(store, "x")["status"]) == ([], "completed")
    with store.transaction(write=True) as transaction:
        transaction.run("UPDATE run SET status = 'failed' WHERE run_id = 'x'")
    assert verify(store).findings == ["run x is not as its receipt says: status"]


def test_a_run_that_was_taken_for_dead_goes_on_in_the_history_as_well(
    tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mage_project.history.ledger.HEARTBEAT_S", 0.02)
    waiting = f"""
        import os, time
        @data_loader
        def f(**kwargs):
            while not os.path.exists({str(tmp_path / "go")!r}):
                time.sleep(0.01)
    """
    seen: list[tuple[str, list[str]]] = []

    def take_for_dead() -> None:
        while not any(crashes.close(store, row) for row in rows(store)):
            time.sleep(0.01)
        while rows(store)[0]["status"] == "crashed":
            time.sleep(0.01)
        seen.append((rows(store)[0]["status"], verify(store).findings))

    def twice() -> None:
        take_for_dead()
        take_for_dead()
        (tmp_path / "go").touch()

    other = threading.Thread(target=twice)
    other.start()
    run_pipeline(write_project(tmp_path, BLOCKS, {**CODE, "load": waiting}), "p")
    other.join()
    assert seen == [("running", []), ("running", [])]
    assert (rows(store)[0]["status"], rows(store)[0]["error"]) == ("completed", None)
    assert (verify(store).findings, verify(store).receipts) == ([], 3)


def rows(store: SqliteStore) -> Sequence[Row]:
    with store.transaction() as transaction:
        return transaction.run("SELECT * FROM run")


def test_a_crash_that_somebody_changes_into_a_run_shows(project: Project, store: SqliteStore) -> None:
    run_pipeline(project, "p")
    put(store, {**rows(store)[0], "run_id": "x", "status": "running", "ended_at": None})
    crashes.close(store, next(row for row in rows(store) if row["run_id"] == "x"))
    execute(store.path, "UPDATE run SET status = 'running', ended_at = NULL WHERE run_id = 'x'")
    assert verify(store).findings == ["run x is not as its receipt says: ended_at, status"]


def test_a_receipt_says_what_came_in_and_what_was_written(tmp_path: Path, store: SqliteStore) -> None:
    record = run_pipeline(write_project(tmp_path, BLOCKS, READING), "p", {"password": "hunter2hunter2"})
    receipt = receipt_of(store, record.run_id)
    assert receipt["inputs"] == [{"url": "https://a.b/c?sig=***", "size": 12, "etag": "e1", "rows": 3}]
    assert receipt["written"] == ["the table t"]
    assert receipt["blocks"][0]["columns"] == {"a": "int64"}
    assert (receipt["status"], receipt["place"], receipt["variables"]) == ("completed", 1, {"password": "***"})
    assert receipt["host"]
    assert receipt["code"].keys() == {"load", "save"}


def test_a_secret_that_a_block_tells_is_in_no_receipt(tmp_path: Path, store: SqliteStore) -> None:
    telling = """
        import warnings

        @data_loader
        def f(password, **kwargs):
            warnings.warn(f'odd: {password}')

        @test
        def is_told(output, password, **kwargs):
            assert False, password
    """
    run_pipeline(write_project(tmp_path, BLOCKS, {**READING, "load": telling}), "p", {"password": "hunter2hunter2"})
    kept = b"".join(path.read_bytes() for path in (tmp_path / ".mage_project").rglob("*") if path.is_file())
    assert b"odd: ***" in kept
    assert b"hunter2hunter2" not in kept


def test_receipts_that_nobody_touched_verify(runs: list[str], store: SqliteStore) -> None:
    found = verify(store)
    assert (found.passed, found.receipts, found.head) == (True, 3, receipt_of(store, runs[2])["hash"])


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        pytest.param("UPDATE receipt SET body = replace(body, 'completed', 'failed') WHERE place = 2",
                     "receipt 2 ({1}) was changed", id="a changed receipt"),
        pytest.param("DELETE FROM receipt WHERE place = 2", "there is no receipt 2", id="a receipt taken out"),
        pytest.param("DELETE FROM receipt WHERE place = 3", "there is no receipt 3, and 3 were written",
                     id="the last one"),
        pytest.param("UPDATE run SET status = 'failed' WHERE run_id LIKE '{1}'",
                     "run {1} is not as its receipt says: status", id="a changed run"),
        pytest.param("UPDATE block_run SET record = replace(record, '3', '4') WHERE run_id LIKE '{1}' AND place = 0",
                     "run {1} is not as its receipt says: blocks", id="changed rows"),
        pytest.param("UPDATE run SET variables = '{{' WHERE run_id LIKE '{1}'",
                     "run {1} is not as its receipt says: it can no longer be read", id="a broken run"),
        pytest.param("UPDATE block_run SET record = '' WHERE run_id LIKE '{1}' AND place = 0",
                     "run {1} is not as its receipt says: it can no longer be read", id="broken rows"),
        pytest.param("DELETE FROM run WHERE run_id LIKE '{1}'",
                     "run {1} has a receipt, and is not in the history", id="a run taken out"),
        pytest.param("INSERT INTO run SELECT 'x' || substr(run_id, 2), pipeline, status, trigger_name, backfill_id, "
                     "execution_date, interval_end, variables, variables_key, git_commit, git_dirty, code, started_by, "
                     "host, pid, pid_started, started_at, heartbeat_at, ended_at, seconds, row_count, peak_rss_bytes, "
                     "warnings, error, exit_code, parent_run_id, alerts FROM run WHERE run_id LIKE '{1}'",
                     "run x{1:.99} has ended, and has no receipt", id="a run put in"),
    ],
)  # fmt: skip
def test_a_change_shows(runs: list[str], store: SqliteStore, statement: str, finding: str) -> None:
    execute(store.path, statement.format(*runs))
    told = finding.replace("x{1:.99}", "x" + runs[1][1:]).format(*runs)
    assert told in verify(store).findings


def test_receipts_that_were_all_written_anew_do_not_hold_the_hash_that_was_noted(
    runs: list[str], store: SqliteStore
) -> None:
    noted = receipt_of(store, runs[1])["hash"]
    assert verify(store, noted=noted[:12]).passed
    bodies = [receipt_of(store, run_id) for run_id in runs]
    execute(store.path, "UPDATE run SET started_by = 'nobody'")
    execute(store.path, "DELETE FROM receipt")
    execute(store.path, "UPDATE receipt_head SET place = 0, hash = ''")
    with store.transaction(write=True) as transaction:
        for body in bodies:
            for word in ("place", "previous", "hash"):
                del body[word]
            seal(transaction, "run", {**body, "started_by": "nobody"})
    assert verify(store).passed
    assert not verify(store, noted=noted).passed


def test_runs_that_end_together_make_one_chain(any_store: Store) -> None:
    def end(name: str) -> None:
        with any_store.transaction(write=True) as transaction:
            seal(transaction, "clean", {"runs": [name]})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(end, map(str, range(12))))
    assert (verify(any_store).findings, verify(any_store).receipts) == ([], 12)


def test_a_run_from_before_there_were_receipts_has_none(runs: list[str], store: SqliteStore) -> None:
    execute(store.path, "DELETE FROM receipt")
    execute(store.path, "UPDATE receipt_head SET place = 0, hash = ''")
    assert verify(store).passed
    assert details(store, runs[0]).run.status == "completed"
    with pytest.raises(UsageError, match="has no receipt"):
        receipt_of(store, runs[0])


def test_verify_says_so_and_ends_with_one(
    project: Project, runs: list[str], store: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    from mage_project.cli.commands import cli

    words = ["runs", "verify", "--json", "--project", str(project.root)]
    with pytest.raises(SystemExit, match="0"):
        cli(words, standalone_mode=False)
    execute(store.path, "UPDATE run SET git_commit = 'abc'")
    with pytest.raises(SystemExit, match="1"):
        cli(words, standalone_mode=False)
    passed, changed = map(json.loads, capsys.readouterr().out.splitlines())
    assert (passed["passed"], len(changed["findings"])) == (True, 3)


def test_what_a_block_has_written_by_itself_is_in_the_receipt_whatever_became_of_the_run(
    tmp_path: Path, store: SqliteStore
) -> None:
    code = "@data_exporter\ndef f(frame, **kwargs):\n    kwargs['wrote']('gs://lake/t')\n    raise ValueError('no')\n"
    record = run_pipeline(write_project(tmp_path, BLOCKS, {**CODE, "save": code}), "p")
    assert (record.status, receipt_of(store, record.run_id)["written"]) == ("failed", ["gs://lake/t"])


def test_a_run_goes_on_where_the_note_of_the_last_receipt_was_taken_out_and_verify_finds_it(
    project: Project, runs: list[str], store: SqliteStore
) -> None:
    execute(store.path, "DELETE FROM receipt_head")
    last = run_pipeline(project, "p").run_id
    assert receipt_of(store, last)["previous"] == receipt_of(store, runs[-1])["hash"]
    found = verify(store)
    assert (found.receipts, found.findings) == (4, ["what was noted of the last receipt was taken out"])

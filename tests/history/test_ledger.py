"""A run is in the history from its start; a history that is broken, full or locked costs no run."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mage_project.errors import HistoryUnavailable
from mage_project.history.runs import details, newest
from mage_project.history.sqlite import SqliteStore
from mage_project.project import Project
from mage_project.runner.reporting import Silent
from mage_project.runner.running import run_pipeline
from tests.history.conftest import BLOCKS, CODE
from tests.projects import write_project


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, block: str | None, line: str) -> None:
        self.lines.append(line)


def test_a_run_is_kept_with_what_it_did(project: Project, store: SqliteStore) -> None:
    record = run_pipeline(project, "p", {"execution_date": "2019-01-01", "password": "hunter2hunter2"})
    found = details(store, record.run_id)
    assert (found.run.status, found.run.rows, found.run.execution_date) == ("completed", 3, "2019-01-01T00:00:00")
    assert [block["rows_out"] or block["rows_in"] for block in found.blocks] == [3, 3]
    assert found.variables == {"service": "green", "execution_date": "2019-01-01", "password": "***"}
    assert set(found.run.code) == {"load", "save"}


def test_a_failed_run_is_kept_with_its_error(tmp_path: Path, store: SqliteStore) -> None:
    project = write_project(
        tmp_path, BLOCKS, {**CODE, "save": "@data_exporter\ndef f(frame):\n    raise ValueError('no')"}
    )
    record = run_pipeline(project, "p")
    [run] = newest(store)
    assert (run.status, run.exit_code, run.error) == ("failed", 1, record.error)


def test_a_month_that_is_not_published_is_not_a_failure(tmp_path: Path, store: SqliteStore) -> None:
    loader = """
        class NotThere(FileNotFoundError):
            not_published = True

        @data_loader
        def f(**kwargs):
            raise NotThere('2030-01 is not published')
    """
    record = run_pipeline(write_project(tmp_path, BLOCKS, {**CODE, "load": loader}), "p")
    assert (record.status, record.exit_code, newest(store)[0].status) == ("not_published", 1, "not_published")


def test_the_commit_of_the_project_is_kept(project: Project, store: SqliteStore) -> None:
    git = ["git", "-C", str(project.root), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *words], check=True)
    clean = details(store, run_pipeline(project, "p").run_id)
    (project.root / "custom.py").write_text("")
    (project.root / "data_loaders/load.py").write_text(CODE["load"] + "\n")
    changed = details(store, run_pipeline(project, "p").run_id)
    assert clean.git_commit == changed.git_commit is not None
    assert (clean.git_dirty, changed.git_dirty) == (False, True)
    assert clean.run.code["load"] != changed.run.code["load"]


def test_a_broken_history_is_set_aside(project: Project, store: SqliteStore) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(b"this is no database" * 1000)
    heard = Heard()
    assert run_pipeline(project, "p", reporter=heard).status == "completed"
    assert [run.status for run in newest(store)] == ["completed"]
    assert any("set aside" in line for line in heard.lines)
    assert len(list(store.path.parent.glob("history.db.broken-*"))) == 1


def break_it(store: SqliteStore) -> None:
    """Its beginning is whole, and the rest is not."""
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 60_000)


def test_a_history_that_breaks_later_is_set_aside(project: Project, store: SqliteStore) -> None:
    run_pipeline(project, "p")
    break_it(store)
    assert run_pipeline(project, "p").status == "completed"
    assert [run.status for run in newest(store)] == ["completed"]


def test_a_broken_history_that_cannot_be_set_aside_is_told(project: Project, store: SqliteStore) -> None:
    run_pipeline(project, "p")
    break_it(store)
    store.path.with_name("history.db.lock").unlink()
    store.path.with_name("history.db.lock").mkdir()
    heard = Heard()
    assert run_pipeline(project, "p", reporter=heard).status == "completed"
    assert any("not in the history" in line for line in heard.lines)
    with pytest.raises(HistoryUnavailable):
        newest(store)


def test_a_process_that_never_ends_making_the_history_holds_nobody_up(
    project: Project, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mage_project.history.sqlite.ALONE_S", 0.1)
    store.path.parent.mkdir()
    heard = Heard()
    with store.path.with_name("history.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run_pipeline(project, "p", reporter=heard).status == "completed"
    assert any("another process has been making or changing it" in line for line in heard.lines)


def test_a_locked_history_costs_no_run(project: Project, store: SqliteStore) -> None:
    run_pipeline(project, "p")
    lock = sqlite3.connect(store.path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    heard = Heard()
    try:
        assert run_pipeline(project, "p", reporter=heard).status == "completed"
    finally:
        lock.close()
    assert any("not in the history" in line for line in heard.lines)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a folder that takes no files")
def test_a_history_that_cannot_be_made_costs_no_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGE_PROJECT_HISTORY", "/dev/full/history.db")
    heard = Heard()
    assert run_pipeline(project, "p", reporter=heard).status == "completed"
    assert [line for line in heard.lines if "not in the history" in line] == heard.lines


def test_a_history_can_be_switched_off(project: Project, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGE_PROJECT_HISTORY", "off")
    run_pipeline(project, "p")
    assert not store.path.exists()


def test_a_killed_run_is_shown_as_crashed(tmp_path: Path, store: SqliteStore) -> None:
    loader = "import time, os\n@data_loader\ndef f(**kwargs):\n    print('pid', os.getpid())\n    time.sleep(60)\n"
    write_project(tmp_path, BLOCKS, {**CODE, "load": loader})
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-m", "mage_project", "run", "p", "--project", str(tmp_path)]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as command:
        assert command.stdout
        worker = next(int(line.split()[-1]) for line in command.stdout if "pid" in line)
        while [run.status for run in newest(store)] != ["running"]:
            time.sleep(0.02)
        os.kill(worker, signal.SIGKILL)
    assert [run.status for run in newest(store)] == ["crashed"]


def test_no_run_pays_for_the_libraries_of_other_stores(project: Project) -> None:
    """Importing SQLAlchemy takes longer than a run."""
    script = (
        "import sys, mage_project\n"
        "assert mage_project.run('p', project=sys.argv[1]).status == 'completed'\n"
        "print({'sqlalchemy', 'alembic'} & set(sys.modules))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    told = subprocess.run(
        [sys.executable, "-c", script, str(project.root)], env=env, check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "set()"


def test_runs_are_listed_and_shown(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    from mage_project.cli.commands import cli

    record = run_pipeline(project, "p")
    cli(["runs", "list", "--json", "--project", str(project.root)], standalone_mode=False)
    [listed] = json.loads(capsys.readouterr().out)
    cli(["runs", "show", record.run_id[:-2], "--json", "--project", str(project.root)], standalone_mode=False)
    shown = json.loads(capsys.readouterr().out)
    assert listed.items() <= shown.items()
    assert [block["uuid"] for block in shown["blocks"]] == ["load", "save"]

"""Of a run that is killed somebody else tells, people and OpenLineage, once: whoever takes notice of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from mage_project.cli.commands import cli
from mage_project.cli.crashes import notice
from mage_project.cli.schedule_reporters import PlainWatcher
from mage_project.history.entries import put
from mage_project.history.runs import newest
from mage_project.history.sqlite import SqliteStore
from mage_project.history.verifying import verify
from mage_project.observers import observation
from mage_project.project import Project
from mage_project.runner.crashes import AT_ONCE
from mage_project.runner.running import run_pipeline
from mage_project.schedule.alerting import Alerted
from mage_project.schedule.crashes import Crashes
from tests.alerts.receivers import Receiver, silence
from tests.alerts.test_runs import command, environment, project, texts

SLOW = """
import os, pathlib, time

@data_loader
def load(**kwargs):
    pathlib.Path("begun.new").write_text(str(os.getpid()))
    os.rename("begun.new", "begun")
    time.sleep(60)
"""


@pytest.fixture
def told(tmp_path: Path) -> Callable[[], list[tuple[str, str]]]:
    """What OpenLineage has been told of how runs ended: event, and why. A run may be gone before it has told START."""
    path = tmp_path / "events.jsonl"
    config = {"transport": {"type": "file", "log_file_path": str(path), "append": True}}
    (tmp_path / "openlineage.yml").write_text(json.dumps(config))

    def read() -> list[tuple[str, str]]:
        events = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
        facets = [(each["eventType"], each["run"]["facets"]) for each in events if each["job"]["name"] == "p"
                  and each["eventType"] != "START"]  # fmt: skip
        return [(event, facet.get("errorMessage", {}).get("message", "")) for event, facet in facets]

    return read


def begun(root: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A run in the middle of a block: its command, and its worker."""
    (root / "data_loaders/load.py").write_text(SLOW)
    words = [sys.executable, "-m", "mage_project", "run", "p", "--alert"]
    running = subprocess.Popen(words, cwd=root, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for((root / "begun").is_file)
    return running, int((root / "begun").read_text())


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def state(pid: int) -> str:
    """What proc_pid_stat(5) says: Z is one that has ended, and whose parent does not know yet."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def lost(root: Path) -> SqliteStore:
    """The history with a run in it that was killed with its command, some time ago."""
    running, worker = begun(root)
    store = SqliteStore(root / ".mage_project/history.db", print)
    wait_for(lambda: newest(store))
    running.send_signal(signal.SIGSTOP)  # else whichever of the two ends later tells of it
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: state(worker) == "Z")
    running.kill()
    running.wait()
    with store.transaction(write=True) as transaction:
        transaction.run("UPDATE run SET heartbeat_at = heartbeat_at - 60, started_at = started_at - 60")
    return store


def test_the_command_tells_of_a_run_that_is_killed(
    tmp_path: Path, hooks: Receiver, told: Callable[[], list[tuple[str, str]]]
) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    assert command(tmp_path, "run", "p", "--alert", "--local", "--var", "killed=SIGKILL").returncode == 137
    [(title, text)] = texts(hooks)
    assert title == "p crashed"
    assert "was memory short?" in text
    assert "next: mage-project run p --alert --local --var killed=SIGKILL" in text
    assert [event for event, _ in told()] == ["ABORT"]
    assert "SIGKILL" in told()[0][1]


def test_a_run_whose_command_is_killed_tells_by_itself(
    tmp_path: Path, hooks: Receiver, told: Callable[[], list[tuple[str, str]]]
) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    running, _ = begun(tmp_path)
    running.kill()
    running.wait()
    wait_for(lambda: texts(hooks) and told())
    assert "its command is gone (killed)" in texts(hooks)[0][1]
    assert [event for event, _ in told()] == ["ABORT"]


def test_of_a_run_that_is_killed_with_its_command_whoever_notices_first_tells(
    tmp_path: Path, hooks: Receiver, told: Callable[[], list[tuple[str, str]]]
) -> None:
    found = project(tmp_path, f"{hooks.url}/slack")
    store = lost(tmp_path)
    watcher = Alerted(PlainWatcher(), tmp_path)
    with ThreadPoolExecutor(4) as pool:
        looks = [
            pool.submit(notice, found, store),
            pool.submit(Crashes(store, watcher.crashed, watcher.backfill_crashed).look),
        ] * 2
        for look in looks:
            look.result()
    watcher.close()
    assert [title for title, _ in texts(hooks)] == ["p crashed"]
    assert [event for event, _ in told()] == ["ABORT"]
    assert verify(store).passed


def test_what_nobody_can_be_told_of_waits_for_who_can(
    tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = project(tmp_path, '{{ env_var("THE_HOOK") }}')
    store = lost(tmp_path)
    notice(found, store)
    monkeypatch.setenv("THE_HOOK", f"{hooks.url}/slack")
    listed = command(tmp_path, "runs", "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "crashed" in listed.stdout
    assert [title for title, _ in texts(hooks)] == ["p crashed"]


def test_channels_that_do_not_answer_are_waited_for_once_after_what_was_asked_for_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observation, "PATIENCE_S", 0.5)
    with silence() as address:
        store = many_lost(project(tmp_path, f"http://{address}/"), AT_ONCE + 2)
        shown = CliRunner().invoke(cli, ["runs", "show", "x0", "--project", str(tmp_path)])
    asked, _, told = shown.output.partition("warning: ")
    assert (shown.exit_code, "run x0 of p" in asked or "x0" in asked) == (0, True), shown.output
    assert told.count("no end within 0.5 s") == AT_ONCE
    assert "nobody is told yet of 2 more runs that crashed: mage-project runs list does that" in told
    assert [run.ended_at for run in newest(store)].count(None) == 2, "they wait for the next look"


def test_a_scheduler_tells_of_many_lost_runs_before_it_ends(tmp_path: Path, hooks: Receiver) -> None:
    store = many_lost(project(tmp_path, f"{hooks.url}/slack"), AT_ONCE + 2)
    watcher = Alerted(PlainWatcher(), tmp_path)
    Crashes(store, watcher.crashed, watcher.backfill_crashed).look()
    watcher.close()
    assert [title for title, _ in texts(hooks)] == ["p crashed"] * (AT_ONCE + 2)


def many_lost(found: Project, number: int) -> SqliteStore:
    """A history with so many runs in it that were killed with their commands."""
    run_pipeline(found, "p")
    store = SqliteStore(found.root / ".mage_project/history.db", print)
    with store.transaction() as transaction:
        [row] = transaction.run("SELECT * FROM run")
    gone = {"status": "running", "ended_at": None, "alerts": 1, "pid_started": "1"}
    for place in range(number):
        put(store, {**row, **gone, "run_id": f"x{place}"})
    with store.transaction(write=True) as transaction:
        transaction.run("UPDATE run SET heartbeat_at = heartbeat_at - 60")
    return store

"""Schedulers, backfills and runs, killed at any moment: every due run happens once, and what it writes is whole.

`SCHEDULE_KILLS` says how many kills there are, 8 where it is not set; `SCHEDULE_KILLS_SEED` repeats the moments, and
the choice of the victims.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random, randrange

import pytest
import yaml

from mage_project.history import schedules
from mage_project.history.runs import StoredRun, going_on, newest
from mage_project.history.schedules import DueRun
from mage_project.history.sqlite import SqliteStore
from tests.projects import block, write_project

KILLS = int(os.environ.get("SCHEDULE_KILLS", "8"))
SEED = int(os.environ.get("SCHEDULE_KILLS_SEED", randrange(1_000_000)))
#: Seconds between two due runs, and between two kills at the most.
EVERY_S, PAUSE_S = 4, 3.0
#: How many days the backfill has to fill.
DAYS = 10 + KILLS // 3
MARK = "MAGE_PROJECT_TEST"
#: The first attempt of every other run finds no connection.
_LOADER = """
    import random

    @data_loader
    def load(**kwargs):
        kwargs['context'].setdefault('asked', []).append(1)
        if len(kwargs['context']['asked']) == 1 and random.random() < 0.5:
            raise ConnectionResetError('not at once')
        return list(range(2000))
"""
_SAVER = """
    import os

    @data_exporter
    def save(values, **kwargs):
        date = f"{kwargs['execution_date']:%Y-%m-%dT%H%M%S}"
        folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), 'saved', kwargs['pipeline_uuid'])
        os.makedirs(folder, exist_ok=True)
        with open(f'{folder}/.{date}.{os.getpid()}', 'w') as file:
            for value in values:
                file.write(f'{value}\\n')
        os.replace(file.name, f'{folder}/{date}')
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the victims in /proc"),
]


class Scene:
    """A project with a scheduled pipeline and one for a backfill, and the processes that work on them."""

    def __init__(self, root: Path) -> None:
        self.root, self.mark = root, secrets.token_hex(8)
        self.store = SqliteStore(root / ".mage_project/history.db", print)
        retries = {"retries": 3, "delay": 0.05}
        blocks = [block("load", "data_loader", retry_config=retries), block("save", "data_exporter", "load")]
        for pipeline in ("scheduled", "filled"):
            write_project(root, blocks, {"load": _LOADER, "save": _SAVER}, pipeline=pipeline)
        trigger = {
            **{"name": "t", "schedule_type": "time", "schedule_interval": f"* * * * * */{EVERY_S}"},
            **{"status": "active", "catch_up": "all", "start_time": datetime.now(UTC).replace(microsecond=0)},
        }
        (root / "pipelines/scheduled/triggers.yaml").write_text(yaml.safe_dump({"triggers": [trigger]}))
        self.scheduler = self.start("scheduler", "--jobs", "3")
        self.backfill = self.start(*self.backfill_words)

    @property
    def backfill_words(self) -> list[str]:
        return [
            "backfill",
            "filled",
            "--start",
            "2020-01-01",
            "--end",
            str(date(2020, 1, 1) + timedelta(days=DAYS - 1)),
            "--jobs",
            "2",
            "--json",
        ]

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), MARK: self.mark}
        with (self.root / f"{words[0]}.said").open("ab") as said:
            command = [sys.executable, "-m", "mage_project", *words]
            return subprocess.Popen(command, cwd=self.root, env=env, stdout=said, stderr=said)

    def revive(self) -> None:
        if self.scheduler.poll() is not None:
            self.scheduler = self.start("scheduler", "--jobs", "3")
        if self.backfill.poll() not in (None, 0):
            self.backfill = self.start(*self.backfill_words)

    def kill_one(self, chance: Random) -> str:
        """Kill the scheduler, the backfill, or a process of a run: its command, or its worker."""
        runs = [pid for pid in self.processes() if pid not in (self.scheduler.pid, self.backfill.pid)]
        groups = {"scheduler": [self.scheduler.pid], "backfill": [self.backfill.pid], "run": runs}
        kind = chance.choices(list(groups), [2, 1, 5])[0]
        if groups[kind]:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(groups[kind]), signal.SIGKILL)
        return kind

    def processes(self) -> list[int]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes():
                    found.append(int(process.name))
        return sorted(found)

    def due(self) -> list[DueRun]:
        with self.store.transaction() as transaction:
            return schedules.due_runs(transaction, "scheduled", "t", limit=10_000)[::-1]

    def runs(self, pipeline: str) -> list[StoredRun]:
        return newest(self.store, pipeline=pipeline, limit=10_000)

    def finish(self) -> None:
        """Let everything come to its end that is due by now; then nothing is left running."""
        last = time.time()
        until = time.monotonic() + 300 + 10 * KILLS
        while self.backfill.poll() != 0 or any(
            run.status in ("waiting", "running") for run in self.due() if run.due_at <= last
        ):
            assert time.monotonic() < until, (self.due()[-5:], self.said())
            self.revive()
            time.sleep(0.2)
        self.scheduler.send_signal(signal.SIGTERM)
        self.scheduler.wait(60)
        while self.processes():
            assert time.monotonic() < until
            time.sleep(0.1)

    def said(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in self.root.glob("*.said"))


def test_what_is_killed_at_any_moment_loses_no_due_run_and_does_none_twice(tmp_path: Path) -> None:
    scene, chance = Scene(tmp_path), Random(SEED)
    killed: Counter[str] = Counter()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0, PAUSE_S))
        killed[scene.kill_one(chance)] += 1
        scene.revive()
    scene.finish()
    told = f"SCHEDULE_KILLS_SEED={SEED}, killed: {dict(killed)}\n{scene.said()}"

    due = [run for run in scene.due() if run.status != "waiting"]  # one may have come due at the very end
    moments = [round(run.due_at) for run in due]
    assert moments == list(range(moments[0], moments[-1] + 1, EVERY_S)), told
    given_up = [run for run in due if run.status != "completed"]
    assert all(run.status == "crashed" and run.attempts >= 3 for run in given_up), (given_up, told)
    assert len(given_up) <= len(due) // 10, told

    assert not going_on(scene.store), told
    for pipeline, expected in (("scheduled", len(due) - len(given_up)), ("filled", DAYS)):
        runs = scene.runs(pipeline)
        assert not [run for run in runs if run.status == "running"], told
        completed = Counter(run.execution_date for run in runs if run.status == "completed")
        assert set(completed.values()) == {1}, (completed.most_common(3), told)
        assert len(completed) == expected, told
        saved = [path for path in (tmp_path / "saved" / pipeline).iterdir() if not path.name.startswith(".")]
        assert {path.read_text().count("\n") for path in saved} == {2000}, told
        assert {path.name for path in saved} >= {each.replace(":", "") for each in completed}, told

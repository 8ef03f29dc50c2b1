"""One scheduler for very many runs: it takes no more memory, files, threads or processes than after the first ones.

`SCHEDULED_RUNS` says how many runs there are, 36 where it is not set. `SCHEDULED_RUNS_LOG` names a file for what was
measured on the way, a JSON object a line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import yaml

from mage_project.history import schedules
from mage_project.history.sqlite import SqliteStore
from tests.projects import block, write_project

RUNS = int(os.environ.get("SCHEDULED_RUNS", "36"))
LOG = os.environ.get("SCHEDULED_RUNS_LOG")
#: How runs of the triggers end: well, with an error, and killed.
ENDS = ("well", "badly", "killed")
_LOADER = """
    import os, signal

    @data_loader
    def load(ends, **kwargs):
        print('a line', ends)
        if ends == 'badly':
            raise ValueError('it is broken')
        if ends == 'killed':
            os.kill(os.getpid(), signal.SIGKILL)
        return [1, 2, 3]
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what a process holds is read from /proc"),
]


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the scheduler's process holds."""

    rss_kb: int
    files: int
    threads: int
    children: int


class Scene:
    """A scheduler, by the real clock, of three triggers that are due every second. It never has two runs of one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = SqliteStore(root / ".mage_project/history.db", print)
        write_project(root, [block("load", "data_loader")], {"load": _LOADER})

    def switch(self, *, on: bool) -> None:
        entries = [
            {
                **{"name": ends, "schedule_type": "time", "schedule_interval": "* * * * * *"},
                **{"status": "active" if on else "inactive", "catch_up": "none", "variables": {"ends": ends}},
                "settings": {"skip_if_previous_running": True},
            }
            for ends in ENDS
        ]
        (self.root / "pipelines/p/triggers.yaml").write_text(yaml.safe_dump({"triggers": entries}))

    @contextmanager
    def scheduler(self) -> Iterator[int]:
        """`mage-project scheduler`: the number of its process."""
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", "mage_project", "scheduler"]
        with (self.root / "said").open("wb") as said:
            process = subprocess.Popen(command, cwd=self.root, env=env, stdout=said, stderr=said)
        yield process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, (self.root / "said").read_text()

    def ended(self) -> Counter[str]:
        """The due runs that were started and have ended, by how."""
        with self.store.transaction() as transaction:
            rows = transaction.run(
                "SELECT status, count(*) AS n FROM due_run "
                "WHERE status NOT IN ('waiting', 'running', 'skipped') GROUP BY status"
            )
        return Counter({row["status"]: row["n"] for row in rows})

    def until_ended(self, runs: int, pid: int) -> None:
        told = 0
        while (ended := self.ended().total()) < runs:
            time.sleep(0.5)
            if LOG and ended >= told:
                told = ended + RUNS // 50
                with Path(LOG).open("a") as log:
                    log.write(json.dumps({"runs": ended, **asdict(held(pid))}) + "\n")

    def at_rest(self, pid: int) -> Held:
        """What it holds where nothing runs, and nothing is due."""
        self.switch(on=False)
        while self._open():
            time.sleep(0.2)
        looks = []
        for _ in range(10):  # it has had a look at a world without triggers, and while it looks it holds more
            time.sleep(0.3)
            looks.append(held(pid))
        found = min(looks, key=lambda look: (look.files, look.rss_kb))
        self.switch(on=True)
        return found

    def _open(self) -> bool:
        with self.store.transaction() as transaction:
            return bool(schedules.open_runs(transaction))


def held(pid: int) -> Held:
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return Held(
        rss_kb=int(status["VmRSS"].split()[0]),
        files=len(list((process / "fd").iterdir())),
        threads=int(status["Threads"]),
        children=len((process / f"task/{pid}/children").read_text().split()),
    )


def test_a_scheduler_holds_after_many_runs_what_it_held_after_the_first(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.switch(on=True)
    with scene.scheduler() as pid:
        scene.until_ended(max(RUNS // 10, 20), pid)
        before = scene.at_rest(pid)
        scene.until_ended(RUNS, pid)
        after = scene.at_rest(pid)
    assert (after.files, after.threads, after.children) == (before.files, before.threads, 0)
    assert after.rss_kb <= 1.05 * before.rss_kb, (before, after)
    ended = scene.ended()
    assert set(ended) == {"completed", "failed", "crashed"}

"""Each due run happens once, whoever starts it and however that one ends; real runs in processes of their own."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from mage_project.history import schedules
from mage_project.history.postgres import PostgresStore
from mage_project.history.runs import newest
from mage_project.history.schedules import DueRun
from mage_project.history.sqlite import SqliteStore
from mage_project.history.stores import Row, Store
from mage_project.project import Trigger
from mage_project.schedule import agenda
from mage_project.schedule.absences import LINGERS_S
from mage_project.schedule.children import Child
from mage_project.schedule.scheduler import Scheduler
from tests.projects import block, write_project

MONDAY = datetime(2024, 1, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: Says when it began and when it was through, and takes as long as `slow` says.
_LOADER = """
    import time

    @data_loader
    def load(**kwargs):
        date = kwargs['execution_date']
        note('begun', date)
        time.sleep(kwargs.get('slow', 0))
        if kwargs.get('broken'):
            raise ValueError('it is broken')
        note('done', date)
        return [kwargs['env'], str(kwargs['interval_end_datetime']), kwargs.get('service')]

    def note(word, date):
        with open(__file__.rpartition('/data_loaders/')[0] + '/notes', 'a') as notes:
            notes.write(f'{word} {date:%Y-%m-%dT%H:%M}\\n')
"""


class Told:
    """What a scheduler has told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stopped: list[int] = []

    def leading(self) -> None:
        self.lines.append("leading")

    def standing_by(self) -> None:
        self.lines.append("standing by")

    def started(self, run: DueRun, child: Child) -> None:
        self.lines.append("started")

    def ended(self, run: DueRun) -> None:
        self.lines.append(f"{run.status}: {run.reason}" if run.reason else run.status)

    def crashed(self, run: Row) -> None: ...

    def backfill_crashed(self, backfill: Row) -> None: ...

    def late(self, run: DueRun, sla_s: int) -> None:
        self.lines.append(f"late by more than {sla_s} s")

    def trouble(self, what: str) -> None:
        self.lines.append(what)

    def stopping(self, signum: int) -> None:
        self.stopped.append(signum)


class Scene:
    """A project with a pipeline `p`, and a clock of its own for its schedulers."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / ".mage_project/history.db"
        self.now = MONDAY - HOUR
        self.store: Store = SqliteStore(self.file, print)
        self.told = Told()
        write_project(root, [block("load", "data_loader")], {"load": _LOADER})

    def triggers(self, *entries: dict[str, object]) -> None:
        every = [{"schedule_type": "time", "status": "active", "schedule_interval": "0 5 * * *"} | e for e in entries]
        (self.root / "pipelines/p/triggers.yaml").write_text(yaml.safe_dump({"triggers": every}))

    def limits(self, config: dict[str, object]) -> None:
        path = self.root / "pipelines/p/metadata.yaml"
        path.write_text(path.read_text() + yaml.safe_dump({"concurrency_config": config}))

    def pause(self, name: str) -> None:
        with self.store.transaction(write=True) as transaction:
            state = schedules.states(transaction)["p", name]
            schedules.pause(transaction, replace(state, paused_at=self.now.timestamp()))

    def reason(self, name: str = "t") -> str:
        """Why the last due run of the trigger stands as it does."""
        with self.store.transaction() as transaction:
            [last, *_] = schedules.due_runs(transaction, "p", name)
        return last.reason or ""

    @contextmanager
    def scheduler(self, jobs: int = 4, lingers_s: float = LINGERS_S) -> Iterator[Scheduler]:
        work = Scheduler(self.root, self.store, self.told, jobs=jobs, lingers_s=lingers_s, clock=lambda: self.now)
        try:
            yield work
        finally:
            work.close()

    def until(self, work: Scheduler, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline, (self.told.lines, self.due())
            work.step()

    def due(self, name: str = "t") -> list[tuple[str, str]]:
        """The due runs of the trigger, the oldest first, with what became of them."""
        with self.store.transaction() as transaction:
            found = schedules.due_runs(transaction, "p", name)
        return [(f"{datetime.fromtimestamp(each.due_at, UTC):%m-%d %H:%M}", each.status) for each in reversed(found)]

    def notes(self, word: str) -> Counter[str]:
        path = self.root / "notes"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return Counter(date for said, date in lines if said == word)

    def start(self) -> subprocess.Popen[str]:
        """`mage-project scheduler`, in a process of its own, by the real clock."""
        command = [sys.executable, "-m", "mage_project", "scheduler"]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.Popen(command, cwd=self.root, env=env, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_run_that_is_to_have_ended_at_its_time_begins_earlier_by_what_the_last_ones_took(scene: Scene) -> None:
    lands = {"schedule_interval": "@hourly", "start_time": MONDAY - 9.5 * HOUR}
    scene.triggers({"name": "t", **lands, "settings": {"landing_time_enabled": True}})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY - HOUR / 2
        scene.until(work, lambda: scene.due() == [("01-01 04:30", "completed")])
        scene.now = MONDAY + HOUR / 2 - timedelta(seconds=1)
        scene.until(work, lambda: scene.due()[1:] == [("01-01 05:30", "completed")])


def test_what_is_due_runs_once_with_its_variables(scene: Scene) -> None:
    scene.triggers({"name": "t", "variables": {"service": "green"}})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY
        scene.until(work, lambda: scene.due() == [("01-01 05:00", "completed")])
        scene.now += 12 * HOUR
        work.look()
    assert scene.notes("done") == Counter(["2024-01-01T05:00"])
    [run] = newest(scene.store)
    assert (run.trigger, run.execution_date, run.interval_end) == ("t", "2024-01-01T05:00:00", "2024-01-02T05:00:00")


def test_what_was_missed_is_made_up_for_in_order_or_put_down_as_skipped(scene: Scene) -> None:
    scene.triggers({"name": "all", "catch_up": "all"}, {"name": "none", "catch_up": "none"})
    with scene.scheduler() as work:
        work.look()
    scene.now = MONDAY + 49 * HOUR
    before = _open_files()
    with scene.scheduler(jobs=1) as work:
        scene.until(work, lambda: {status for _, status in scene.due("all")} == {"completed"})
    assert _open_files() == before
    assert [date for date, _ in scene.due("all")] == ["01-01 05:00", "01-02 05:00", "01-03 05:00"]
    assert scene.due("none") == [("01-01 05:00", "skipped")]
    assert "skipped: no scheduler was there; catch_up: none" in scene.told.lines


def test_what_overlaps_is_skipped_and_a_missed_sla_is_told(scene: Scene) -> None:
    settings = {"skip_if_previous_running": True}
    scene.triggers({"name": "t", "variables": {"slow": 1.5}, "settings": settings, "sla": 60})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY
        scene.until(work, lambda: bool(scene.notes("begun")))
        scene.now += 24 * HOUR
        scene.until(work, lambda: ("01-01 05:00", "completed") in scene.due())
    assert scene.due() == [("01-01 05:00", "completed"), ("01-02 05:00", "skipped")]
    assert "late by more than 60 s" in scene.told.lines


@pytest.mark.parametrize(
    ("limits", "last"),
    [
        ({"pipeline_run_limit": 1}, "completed"),
        ({"pipeline_run_limit_all_triggers": 1, "on_pipeline_run_limit_reached": "skip"}, "skipped"),
    ],
    ids=["wait", "skip"],
)
def test_no_more_runs_go_on_at_once_than_the_pipeline_says(scene: Scene, limits: dict[str, object], last: str) -> None:
    scene.limits(limits)
    scene.triggers({"name": "t", "variables": {"slow": 1}})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY
        scene.until(work, lambda: bool(scene.notes("begun")))
        scene.now += 24 * HOUR
        work.look()
        [*_, (_, status)], reason = scene.due(), scene.reason()
        assert (status, "1 run goes on" in reason) == ({"completed": "waiting"}.get(last, last), True)
        scene.until(work, lambda: [status for _, status in scene.due()] == ["completed", last])


def test_a_run_by_hand_counts_for_all_triggers(scene: Scene) -> None:
    scene.limits({"pipeline_run_limit_all_triggers": 1})
    scene.triggers({"name": "t"})
    run = [sys.executable, "-m", "mage_project", "run", "p", "--project", str(scene.root), "--var", "slow=2"]
    with scene.scheduler() as work, subprocess.Popen(run, stdout=subprocess.DEVNULL) as by_hand:
        work.look()
        _wait(lambda: bool(scene.notes("begun")))
        scene.now = MONDAY
        work.look()
        assert "pipeline_run_limit_all_triggers: 1 run goes on" in scene.reason()
        by_hand.wait(timeout=60)
        scene.until(work, lambda: scene.due() == [("01-01 05:00", "completed")])
    assert by_hand.returncode == 0


def test_the_settings_of_a_trigger_reach_its_runs(scene: Scene) -> None:
    scene.triggers({"name": "t", "variables": {"slow": 30}, "settings": {"timeout": 1}})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY
        scene.until(work, lambda: scene.due() == [("01-01 05:00", "failed")])
    assert "the run took longer than its timeout of 1 s" in scene.reason()
    log = "".join(path.read_text() for path in scene.root.glob(".mage_project/logs/*.jsonl"))
    assert "give the run more time: `timeout` in the settings of trigger 't', pipelines/p/triggers.yaml" in log


def test_a_locked_history_is_told_and_nothing_is_lost(scene: Scene) -> None:
    scene.triggers({"name": "t"})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY
        with closing(sqlite3.connect(scene.file)) as other:
            other.execute("BEGIN IMMEDIATE")
            work.look()
        assert "locked" in scene.told.lines[-1]
        scene.until(work, lambda: scene.due() == [("01-01 05:00", "completed")])


def test_what_a_clock_that_was_years_ahead_made_due_is_not_run_when_it_is_put_right(scene: Scene) -> None:
    scene.triggers({"name": "t", "catch_up": "last"})
    with scene.scheduler(jobs=0) as work:
        work.look()
        scene.now = MONDAY.replace(year=2030)
        work.look()
        scene.now = MONDAY
        work.look()
    assert scene.due()[-1] == ("01-01 05:00", "skipped")
    assert scene.reason() == "it is not due yet: the clock was wrong when it was noted"


def test_the_history_may_be_in_postgres(scene: Scene, own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGE_PROJECT_HISTORY", own_database)
    scene.store = PostgresStore(own_database)
    scene.triggers({"name": "t", "catch_up": "all", "settings": {"skip_if_previous_running": True}})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY + 25 * HOUR
        scene.until(work, lambda: {status for _, status in scene.due()} == {"completed"})
    assert scene.notes("done") == Counter(["2024-01-01T05:00", "2024-01-02T05:00"])


def test_a_failed_run_says_why(scene: Scene) -> None:
    scene.triggers({"name": "t", "variables": {"broken": True}})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY
        scene.until(work, lambda: scene.due() == [("01-01 05:00", "failed")])
    assert any("it is broken" in line for line in scene.told.lines)


def test_a_trigger_that_is_gone_paused_or_switched_off_is_never_due(scene: Scene) -> None:
    scene.triggers({"name": "gone"}, {"name": "off"}, {"name": "other", "envs": ["prod"], "sla": -1})
    with scene.scheduler(lingers_s=0) as work:
        work.look()
        work.look()
        assert sum("'sla' is a number" in line for line in scene.told.lines) == 1, "a mistake is told, once"
        scene.triggers({"name": "off", "status": "inactive"})
        scene.now = MONDAY
        work.look()
        scene.triggers({"name": "gone"}, {"name": "off"})
        work.look()
    assert [scene.due(name) for name in ("gone", "off", "other")] == [[], [], []], "they begin anew"


def test_a_file_that_is_empty_or_away_for_a_second_makes_nothing_forgotten(scene: Scene) -> None:
    entries = [{"name": "once", "schedule_interval": "@once"}, {"name": "t"}, {"name": "paused"}]
    scene.triggers(*entries)
    pipeline = scene.root / "pipelines/p/metadata.yaml"
    with scene.scheduler() as work:
        scene.until(work, lambda: [status for _, status in scene.due("once")] == ["completed"])
        scene.pause("paused")
        scene.triggers()
        scene.now = MONDAY
        work.look()
        scene.triggers(*entries)
        pipeline.rename(pipeline.with_suffix(".away"))
        work.look()
        pipeline.with_suffix(".away").rename(pipeline)
        scene.until(work, lambda: scene.due() == [("01-01 05:00", "completed")])
    assert (len(scene.due("once")), scene.due("paused")) == (1, [])


def test_what_nobody_thought_of_in_one_trigger_is_told_once_and_the_others_go_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_store: Store, _pipeline: str, trigger: Trigger) -> timedelta:
        return timedelta.max * 2 if trigger.name == "odd" else timedelta()

    monkeypatch.setattr(agenda, "lead", broken)
    scene.triggers({"name": "odd"}, {"name": "t"})
    with scene.scheduler() as work:
        work.look()
        scene.now = MONDAY
        scene.until(work, lambda: scene.due() == [("01-01 05:00", "completed")])
    assert [line.split(": ")[:2] for line in scene.told.lines if "odd" in line] == [
        ["p.odd", "unexpected OverflowError"]
    ]


def test_a_signal_ends_it_and_the_next_one_does_what_was_interrupted(scene: Scene) -> None:
    scene.triggers({"name": "t", "schedule_interval": "@once", "variables": {"slow": 1}})
    first = scene.start()
    _wait(lambda: bool(scene.notes("begun")))
    first.send_signal(signal.SIGTERM)
    out, _ = first.communicate(timeout=30)
    assert first.returncode == 0, out
    assert (scene.notes("done"), [status for _, status in scene.due()]) == (Counter(), ["waiting"])
    with scene.scheduler() as work:
        scene.until(work, lambda: [status for _, status in scene.due()] == ["completed"])
    assert scene.notes("done").total() == 1


#: Sends the signal when the scheduler's own module is looked for.
_EARLY = """
import signal, sys
from mage_project.cli import cli
class Early:
    def find_spec(self, name, *_):
        if name == "mage_project.schedule.scheduler":
            signal.raise_signal(signal.SIGTERM)
sys.meta_path.insert(0, Early())
cli(["scheduler"])
"""


def test_a_signal_that_comes_before_it_works_ends_it_as_well(scene: Scene) -> None:
    scene.triggers({"name": "t"})
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", _EARLY], cwd=scene.root, env=env, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_one_leads_and_the_other_takes_over_when_it_is_killed(scene: Scene) -> None:
    scene.triggers({"name": "t", "schedule_interval": "@once", "variables": {"slow": 1}})
    one = scene.start()
    _wait(lambda: bool(scene.notes("begun")))
    two = scene.start()
    assert two.stdout is not None
    assert "standing by" in two.stdout.readline()
    one.kill()
    one.communicate()
    _wait(lambda: [status for _, status in scene.due()] == ["completed"])
    two.send_signal(signal.SIGINT)
    out, _ = two.communicate(timeout=30)
    assert two.returncode == 0, out
    assert scene.notes("done").total() == 1


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))

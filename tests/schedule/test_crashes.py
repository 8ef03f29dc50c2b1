"""A run on another machine is lost when nothing was heard of it for a minute in which it could be heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from mage_project.history.runs import newest
from mage_project.history.sqlite import SqliteStore
from mage_project.history.stores import Row
from mage_project.runner.running import run_pipeline
from mage_project.schedule.crashes import Crashes
from tests.projects import block, write_project


class Scene:
    """A run that began long ago on another machine, and a scheduler's looks by a clock of their own."""

    def __init__(self, root: Path) -> None:
        code = {"load": "@data_loader\ndef load(**kwargs):\n    pass\n"}
        run_pipeline(write_project(root, [block("load", "data_loader")], code), "p")
        self.store = SqliteStore(root / ".mage_project/history.db", print)
        self.now, self.told = 0.0, list[Row]()
        self.crashes = Crashes(self.store, self.told.append, self.told.append, clock=lambda: self.now)
        self.set("status = 'running', ended_at = NULL, host = 'another', heartbeat_at = 0.1")

    def set(self, what: str) -> None:
        with self.store.transaction(write=True) as transaction:
            transaction.run(f"UPDATE run SET {what}")

    def look_for(self, seconds: int) -> None:
        for _ in range(0, seconds, 5):
            self.crashes.look()
            self.now += 5


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_run_on_another_machine_is_lost_after_a_minute_of_silence(scene: Scene) -> None:
    scene.look_for(60)
    assert scene.told == []
    scene.look_for(10)
    assert [run["status"] for run in scene.told] == ["crashed"]


def test_a_history_that_was_away_alarms_nobody(scene: Scene) -> None:
    scene.look_for(30)
    scene.now += 90
    scene.look_for(60)
    scene.set("heartbeat_at = heartbeat_at + 1")
    scene.look_for(60)
    assert scene.told == []
    assert [row["status"] for row in rows(scene)] == ["running"]


def test_a_run_from_before_it_was_known_whom_to_tell_is_written_down_only(scene: Scene) -> None:
    scene.set("alerts = NULL")
    scene.look_for(70)
    assert (scene.told, newest(scene.store)[0].status) == ([], "crashed")
    assert rows(scene)[0]["ended_at"] == 0.1


def rows(scene: Scene) -> list[Row]:
    with scene.store.transaction() as transaction:
        return [*transaction.run("SELECT * FROM run")]

"""What appears is run once, by a real scheduler."""

from __future__ import annotations

import json
import os
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from mage_project.history import schedules
from tests.projects import block, write_project
from tests.schedule.test_scheduler import Scene
from tests.schedule.watch.test_urls import Files
from tests.serving import served

_LOADER = """
    import json

    @data_loader
    def load(**kwargs):
        names = ('months', 'month', 'address', 'event')
        with open(__file__.rpartition('/data_loaders/')[0] + '/seen', 'a') as seen:
            seen.write(json.dumps({name: kwargs.get(name) for name in names}) + '\\n')
"""


class Watched(Scene):
    """A scene whose trigger `t` watches something; its runs note what they were given."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        write_project(root, [block("load", "data_loader")], {"load": _LOADER})

    def watch(self, address: str, *, status: str = "active", **own: Any) -> None:
        entry = {"name": "t", "schedule_type": "event", "status": status, "variables": {"months": "{month}"}}
        content = {"triggers": [entry], "mage_project": {"t": {"watch": address, "poll_interval": 0.1, **own}}}
        (self.root / "pipelines/p/triggers.yaml").write_text(yaml.safe_dump(content))

    def seen(self) -> list[dict[str, Any]]:
        path = self.root / "seen"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def put(self, name: str, age_s: float = 60) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
        os.utime(path, (time.time() - age_s,) * 2)

    def count(self, status: str) -> int:
        with self.store.transaction() as transaction:
            found = schedules.due_runs(transaction, "p", "t", limit=100)
        return sum(each.due_count for each in found if each.status == status)


@pytest.fixture
def scene(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_file_whose_name_is_no_text_is_run_and_found_by_its_name(scene: Watched) -> None:
    name = os.fsdecode(b"in/\xff.csv")
    scene.put(name)
    scene.watch("in/*", catch_up="all")
    with scene.scheduler() as work:
        scene.until(work, lambda: scene.count("completed") == 1)
    assert [event["event"]["address"] for event in scene.seen()] == [name]


def test_each_file_that_appears_or_changes_is_run_once(scene: Watched) -> None:
    scene.put("in/old")
    scene.watch("in/*", catch_up="none")
    with scene.scheduler() as work:
        scene.until(work, lambda: scene.count("skipped") == 1)
        scene.put("in/new", age_s=50)
        scene.until(work, lambda: scene.count("completed") == 1)
        scene.put("in/new", age_s=40)
        scene.until(work, lambda: scene.count("completed") == 2)
    with scene.scheduler() as work:
        scene.put("in/third", age_s=30)
        scene.until(work, lambda: scene.count("completed") == 3)
    addresses = [seen["address"] for seen in scene.seen()]
    assert addresses == ["in/new", "in/new", "in/third"]
    assert scene.seen()[0]["event"]["name"] == "new"
    assert "skipped: it was there before the trigger; catch_up: none" in scene.told.lines


@pytest.mark.parametrize(("catch_up", "run", "skipped"), [("last", ["in/b"], 1), ("all", ["in/a", "in/b"], 0)])
def test_catch_up_says_what_of_that_is_run_which_is_there_already(
    scene: Watched, catch_up: str, run: list[str], skipped: int
) -> None:
    scene.put("in/a", age_s=90)
    scene.put("in/b")
    scene.watch("in", catch_up=catch_up)
    with scene.scheduler() as work:
        scene.until(work, lambda: scene.count("completed") == len(run))
    assert (sorted(each["address"] for each in scene.seen()), scene.count("skipped")) == (run, skipped)


def test_a_month_that_is_published_is_loaded_with_its_name(scene: Watched) -> None:
    Files.heads = {"/green_2023-12.parquet": (500, {})}
    with served(ThreadingHTTPServer(("127.0.0.1", 0), Files)) as server, scene.scheduler() as work:
        scene.watch(f"http://127.0.0.1:{server.server_port}/green_{{month}}.parquet", lookback=2)
        scene.until(work, lambda: any("HTTP 500" in line for line in scene.told.lines))
        Files.heads = {"/green_2023-12.parquet": (200, {"ETag": '"1"'})}
        scene.until(work, lambda: scene.count("completed") == 1)
        Files.heads = {"/green_2023-12.parquet": (200, {"ETag": '"2"'}), "/green_2024-01.parquet": (200, {})}
        scene.until(work, lambda: scene.count("completed") == 3)
    assert sorted(each["months"] for each in scene.seen()) == ["2023-12", "2023-12", "2024-01"]
    assert [each["event"]["version"] for each in scene.seen() if each["month"] == "2023-12"] == ["1", "2"]


def test_what_appears_while_the_trigger_is_paused_or_off_is_not_run(scene: Watched) -> None:
    scene.watch("in", status="inactive")
    with scene.scheduler() as work:
        scene.put("in/a")
        work.look()
        scene.watch("in")
        scene.until(work, lambda: scene.count("completed") == 1)
        state = schedules.TriggerState(pipeline="p", trigger_name="t", schedule="3 of in", paused_at=1.0)
        with scene.store.transaction(write=True) as transaction:
            schedules.pause(transaction, state)
        scene.put("in/b")
        scene.until(work, lambda: scene.count("skipped") == 1)
    assert "skipped: the trigger is paused" in scene.told.lines

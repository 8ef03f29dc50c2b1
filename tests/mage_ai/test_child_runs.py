"""Pipelines whose blocks start other pipelines: real runs, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mage_project.history.runs import StoredRun, details, newest
from mage_project.history.sqlite import SqliteStore
from tests.projects import block, write_project

_PARENT = """
    from mage_ai.orchestration.triggers.api import trigger_pipeline

    @custom
    def start(**kwargs):
        run = trigger_pipeline(kwargs['child'], verbose=False, **kwargs.get('options', {}))
        print('it is', run.status.value, run.pipeline_uuid)
"""
_CHILD = """
    import time

    @custom
    def work(**kwargs):
        note('begun', kwargs)
        time.sleep(kwargs.get('slow', 0))
        if kwargs.get('broken'):
            raise ValueError('it is broken')
        note('done', kwargs)

    def note(word, kwargs):
        with open(__file__.rpartition('/custom/')[0] + '/notes', 'a') as notes:
            notes.write(f"{word} {kwargs['ds']} {kwargs.get('service')} {kwargs['env']}\\n")
"""


class Scene:
    """A project whose pipeline `parent` starts another one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        write_project(root, [block("start", "custom")], {"start": _PARENT}, pipeline="parent")
        write_project(root, [block("work", "custom")], {"work": _CHILD}, pipeline="child")
        self.store = SqliteStore(root / ".mage_project/history.db", print)

    def start(self, child: str = "child", **options: Any) -> subprocess.Popen[str]:
        given = {"child": child, "options": options, "execution_date": "2020-10-01"}
        words = [word for name, value in given.items() for word in ("--var", f"{name}={json.dumps(value)}")]
        return self.command("run", "parent", *words)

    def command(self, *words: str) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", "mage_project", *words, "--project", str(self.root)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=env, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def run(self, child: str = "child", **options: Any) -> tuple[int, str]:
        process = self.start(child, **options)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def runs(self, pipeline: str) -> list[StoredRun]:
        return newest(self.store, pipeline=pipeline)

    def notes(self) -> list[str]:
        path = self.root / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90
        while not done():
            assert time.monotonic() < deadline, self.notes()
            time.sleep(0.05)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_child_gets_its_variables_and_the_date_of_its_parent_and_is_linked_to_it(scene: Scene) -> None:
    code, said = scene.run(check_status=True, variables={"service": "green"})
    assert (code, "it is completed child" in said) == (0, True), said
    assert scene.notes() == ["begun 2020-10-01 green prod", "done 2020-10-01 green prod"]
    [child], [parent] = scene.runs("child"), scene.runs("parent")
    assert (child.parent_run_id, child.trigger) == (parent.run_id, "API_TRIGGER_CREATED_FROM_CODE")
    assert [each.run_id for each in details(scene.store, parent.run_id).children] == [child.run_id]
    shown, _ = scene.command("runs", "show", parent.run_id).communicate()
    assert f"{child.run_id} of child, completed" in shown
    shown, _ = scene.command("runs", "show", child.run_id).communicate()
    assert f"started by run  {parent.run_id}" in shown


def test_a_block_in_a_process_of_its_own_starts_children_too(scene: Scene) -> None:
    of_its_own = block("start", "custom", executor_type="process")
    write_project(scene.root, [of_its_own], {"start": _PARENT}, pipeline="parent")
    code, said = scene.run(variables={"slow": 1})
    assert (code, "it is running child" in said) == (0, True), said
    [child], [parent] = scene.runs("child"), scene.runs("parent")
    assert (child.status, child.parent_run_id) == ("completed", parent.run_id)
    assert scene.notes()[-1] == "done 2020-10-01 None prod"


def test_a_child_of_a_sample_is_a_sample(scene: Scene) -> None:
    said, _ = scene.command("run", "parent", "--sample", "7", "--var", "child=child").communicate(timeout=120)
    [child] = scene.runs("child")
    assert (child.status, child.parent_run_id) == ("sampled", scene.runs("parent")[0].run_id), said


def test_another_date_and_name_may_be_given(scene: Scene) -> None:
    scene.run(check_status=True, schedule_name="mine", variables={"execution_date": "2021-01-31"})
    assert scene.notes()[0] == "begun 2021-01-31 None prod"
    assert scene.runs("child")[0].trigger == "mine"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"check_status": True}, 0, "it is failed child"),
        ({"check_status": True, "error_on_failure": True}, 1, "which this block runs, failed"),
        ({}, 0, "which a block has started, failed"),
    ],
)
def test_a_child_that_fails_fails_its_parent_where_that_is_wanted(
    scene: Scene, options: dict[str, Any], code: int, said: str
) -> None:
    found, told = scene.run(**options, variables={"broken": True})
    assert (found, said in told, "it is broken" in told) == (code, True, True), told
    assert [run.status for run in scene.runs("child")] == ["failed"]


def test_a_child_that_nobody_waits_for_ends_before_the_command(scene: Scene) -> None:
    code, said = scene.run(variables={"slow": 1})
    assert (code, "it is running child" in said, "waiting for run" in said) == (0, True, True), said
    assert [run.status for run in scene.runs("child")] == ["completed"]


@pytest.mark.parametrize("check", [True, False], ids=["waiting", "not waiting"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_is_stopped_with_its_parent(scene: Scene, check: bool, number: int) -> None:
    process = scene.start(check_status=check, variables={"slow": 60})
    scene.until(lambda: any(note.startswith("begun") for note in scene.notes()))
    process.send_signal(number)
    process.communicate(timeout=60)
    scene.until(lambda: all(not run.is_running for run in (*scene.runs("child"), *scene.runs("parent"))))
    assert [run.exit_code for run in scene.runs("child")] == [143]
    assert len(scene.notes()) == 1


def test_pipelines_that_start_themselves_without_an_end_are_told_so(scene: Scene) -> None:
    options = {"check_status": True, "error_on_failure": True}
    variables = {"child": "parent", "options": options}
    variables["options"] = {**options, "variables": {"child": "parent", "options": options | {"variables": {}}}}
    code, said = scene.run("parent", **options, variables=variables)
    assert (code, "without an end: parent → parent → parent → parent" in said) == (1, True), said


def test_a_run_that_is_not_waited_for_is_left_to_the_scheduler_that_leads(scene: Scene) -> None:
    scheduler = scene.command("scheduler")
    try:
        assert scheduler.stdout is not None
        assert "leading" in scheduler.stdout.readline()
        code, said = scene.run(variables={"service": "green", "slow": 1})
        assert (code, "it is initial child" in said) == (0, True), said
        scene.until(lambda: [run.status for run in scene.runs("child")] == ["completed"])
        [child], [parent] = scene.runs("child"), scene.runs("parent")
        assert child.parent_run_id == parent.run_id
        assert scene.notes() == ["begun 2020-10-01 green prod", "done 2020-10-01 green prod"]
    finally:
        scheduler.send_signal(signal.SIGTERM)
        scheduler.communicate(timeout=60)

"""Runs whose process dies: what is known of them, and how they are gone on with."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from mage_project.cli.commands import cli
from mage_project.errors import UsageError
from mage_project.history.schedules import DueRun
from mage_project.history.stores import store_of
from mage_project.project import Project
from mage_project.runner import beginnings
from mage_project.runner.parts import what_runs
from mage_project.runner.resuming import plan, resume
from mage_project.runner.running import run_pipeline
from mage_project.schedule.recovery import recovered
from tests.projects import block, write_items, write_project

LOAD = "@data_loader\ndef load(**kwargs):\n    return [1]\n"
OUT = """
from pathlib import Path
@data_exporter
def {name}(given, **kwargs):
    {before}
    with Path(__file__).with_name('{name}.txt').open('a') as file:
        file.write(f"{{kwargs['password']}} {{kwargs['ds']}}\\n")
"""
DIES = "__import__('os').kill(__import__('os').getpid(), 9)"
BLOCKS = [block("load", "data_loader"), block("one", "data_exporter", "load"), block("two", "data_exporter", "load")]
GIVEN = ("--var", "password=hush", "--var", "execution_date=2020-11-01")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    code = {"one": OUT.format(name="one", before="pass"), "two": OUT.format(name="two", before=DIES)}
    return write_project(tmp_path, BLOCKS, {"load": LOAD, **code})


def crashed(project: Project, *more: str) -> str:
    """The name of a run that was killed in its second exporter, as the command tells it."""
    words = [sys.executable, "-m", "mage_project", "run", "p", *GIVEN, *more]
    ended = subprocess.run(words, cwd=project.root, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 137, ended.stderr
    told = ended.stderr.splitlines()[-1].split()
    assert told[:3] == ["next:", "mage-project", "resume"], ended.stderr
    return told[3]


def mend(project: Project, before: str = "pass") -> None:
    path = project.root / "data_exporters" / "two.py"
    path.write_text(OUT.format(name="two", before=before))


def written(project: Project, name: str) -> list[str]:
    return (project.root / "data_exporters" / f"{name}.txt").read_text().splitlines()


def test_what_had_been_done_is_not_done_again(project):
    run_id = crashed(project)
    mend(project)
    made = plan(project, run_id, {})
    assert [(step.block, step.action, step.why) for step in made.steps] == [
        ("load", "run", "its output is not kept, and 'two' reads it"),
        ("one", "skip", "completed"),
        ("two", "run", "had begun when the run crashed"),
    ]
    assert made.told == ["it crashed: what it had in memory is lost", "'two' has changed since"]
    assert made.doubts == ["'two' was at work when the run crashed: it may have written already, and writes again"]
    assert resume(made).error is None
    assert (written(project, "one"), written(project, "two")) == (["hush 2020-11-01"], ["hush 2020-11-01"])
    with pytest.raises(UsageError, match=f"run {run_id} was resumed by "):
        plan(project, run_id, {})


def test_a_resumed_run_that_crashes_can_be_resumed_in_its_turn(project):
    first = crashed(project)
    words = [sys.executable, "-m", "mage_project", "resume", first, "--yes"]
    ended = subprocess.run(words, cwd=project.root, capture_output=True, text=True, timeout=60)
    second = ended.stderr.split()[-1]
    assert (ended.returncode, second == first) == (137, False), ended.stderr
    mend(project)
    assert resume(plan(project, second, {})).error is None
    assert written(project, "one") == ["hush 2020-11-01"]


def test_the_history_tells_how_to_go_on_and_what_is_lost_is_asked_for(project):
    run_id = crashed(project)
    path = project.root / "data_exporters" / "one.py"
    path.write_text(f"{path.read_text()}    kwargs['context']['x'] = 1\n")
    shown = CliRunner().invoke(cli, ["runs", "show", run_id, "--project", str(project.root)])
    assert f"resume {run_id}" in shown.output
    asked = CliRunner().invoke(cli, ["resume", run_id, "--project", str(project.root)])
    assert asked.exit_code == 2
    assert "'one' has changed since, and does not run again" in asked.stderr
    assert "'one' does not run again, and what it may have put into `context` is lost" in asked.stderr
    assert written(project, "one") == ["hush 2020-11-01"]


def test_of_an_exporter_that_runs_for_each_item_it_is_unknown_which_were_done(tmp_path):
    out = f"@data_exporter\ndef out(given, **kwargs):\n    if given == 2:\n        {DIES}\n"
    project = write_items(tmp_path, 2, out=out)
    made = plan(project, crashed(project), {})
    assert {step.block: step.action for step in made.steps} == {"before": "skip", "load": "run", "out": "run"}
    assert made.doubts == ["'out' has written already (1 of its runs), and writes again"]


def test_a_run_of_which_nobody_knows_how_far_it_came_is_not_resumed(project):
    run_id = crashed(project)
    (project.root / ".mage_project" / "logs" / f"{run_id}.jsonl").unlink()
    with pytest.raises(UsageError, match=f"what was kept of run {run_id} cannot be read"):
        plan(project, run_id, {})


def test_what_the_pipeline_says_of_a_block_is_looked_at(project):
    run_id = crashed(project)
    path = project.root / "pipelines" / "p" / "metadata.yaml"
    path.write_text(path.read_text().replace("uuid: one\n", "uuid: one\n  configuration: {to: elsewhere}\n"))
    assert "'one' has changed since, and does not run again" in plan(project, run_id, {}).doubts


def test_where_the_machine_went_down_its_log_may_be_too_short(project, monkeypatch):
    run_id = crashed(project)
    log = project.root / ".mage_project" / "logs" / f"{run_id}.jsonl"
    log.write_text("".join(line for line in log.read_text().splitlines(keepends=True) if '"two"' not in line))
    monkeypatch.setattr(beginnings, "_boot", lambda: "another one")
    assert plan(project, run_id, {}).doubts == [
        "'two' may have written already, and writes again: the machine went down, and its log with it"
    ]


def test_a_run_that_goes_on_is_not_resumed(project):
    mend(project, before="import time; Path('there').touch(); time.sleep(60)")
    words = [sys.executable, "-m", "mage_project", "run", "p", *GIVEN]
    running = subprocess.Popen(words, cwd=project.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not (project.root / "there").is_file():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        [path] = (project.root / ".mage_project" / "begun").iterdir()
        assert path.stat().st_mode & 0o777 == 0o600, "variables may be secrets"
        with pytest.raises(UsageError, match=f"run {path.stem} goes on"):
            plan(project, path.stem, {})
    finally:
        running.terminate()
        running.wait()


def test_a_run_that_ends_leaves_no_word_of_its_beginning(project):
    mend(project, before="assert kwargs['password'] == 'hush'")
    assert run_pipeline(project, "p", {"password": "hush"}).error is None
    assert run_pipeline(project, "p", {"password": "x"}).resume
    assert list((project.root / ".mage_project" / "begun").iterdir()) == []


def test_a_run_that_had_done_nothing_does_all_of_it_with_what_it_was_given(project):
    path = project.root / "data_loaders" / "load.py"
    path.write_text(f"@data_loader\ndef load(**kwargs):\n    {DIES}\n")
    words = [sys.executable, "-m", "mage_project", "run", "p", *GIVEN]
    ended = subprocess.run(words, cwd=project.root, capture_output=True, text=True, timeout=60)
    assert ended.stderr.splitlines()[-1].split()[:3] == ["next:", "mage-project", "run"]
    path.write_text(LOAD)
    mend(project)
    [begun] = (project.root / ".mage_project" / "begun").iterdir()
    made = plan(project, begun.stem, {})
    assert [step.action for step in made.steps] == ["run", "run", "run"]
    assert resume(made).error is None
    assert (written(project, "one"), written(project, "two")) == (["hush 2020-11-01"], ["hush 2020-11-01"])


def test_a_table_of_which_nothing_is_known_is_made_again(tmp_path):
    sql = {"language": "sql", "configuration": {"data_provider": "postgres", "data_provider_profile": "default"}}
    blocks = [block("a", "data_loader", **sql), block("b", "transformer", "a", **sql)]
    project = write_project(tmp_path, blocks, {})
    for path in ("data_loaders/a.sql", "transformers/b.sql"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("SELECT 1")
    pipeline = project.pipeline("p")
    statuses = {"a": "completed", "b": "running"}
    assert set(what_runs(pipeline, statuses, kept=(), tables=("a",))) == {"b"}
    assert set(what_runs(pipeline, statuses, kept=(), tables=())) == {"a", "b"}


def test_a_scheduler_takes_what_was_resumed_for_done(project):
    run_id = crashed(project)
    due = DueRun(pipeline="p", trigger_name="t", due_at=0.0, due_until=0.0, status="running", run_id=run_id, attempts=1)
    store = store_of(project.root, print)
    assert store is not None
    assert recovered(store, due, may_still_begin=False).status == "waiting"
    mend(project)
    record = resume(plan(project, run_id, {}))
    after = recovered(store, due, may_still_begin=False)
    assert (after.status, after.run_id) == ("completed", record.run_id)

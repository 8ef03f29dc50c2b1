"""`mage-project schedule`: what is due, and triggers that are run, paused and resumed by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mage_project.cli import cli
from mage_project.cli.schedule_reporters import PlainWatcher
from mage_project.history.schedules import DueRun, put_found
from mage_project.history.stores import store_of
from mage_project.project import Project
from mage_project.runner.running import run_pipeline
from tests.projects import block, write_project

LOADER = "@data_loader\ndef load(**kwargs):\n    print(kwargs['env'], kwargs['service'], kwargs['months'])\n"
DAILY = {"name": "daily", "schedule_type": "time", "schedule_interval": "@daily", "status": "active"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOADER}, variables={"service": "yellow"})
    triggers(tmp_path, DAILY, {"name": "by hand", "schedule_type": "api", "status": "active"})
    return tmp_path


def triggers(root: Path, *entries: dict[str, object]) -> None:
    (root / "pipelines/p/triggers.yaml").write_text(yaml.safe_dump({"triggers": list(entries)}))


def schedule(root: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["schedule", *words, "--project", str(root)])


def statuses(root: Path) -> dict[str, str]:
    return {row["trigger"]: row["status"] for row in json.loads(schedule(root, "list", "--json").stdout)}


def test_the_next_runs_of_all_triggers_come_in_order(root: Path) -> None:
    triggers(root, DAILY, {**DAILY, "name": "there", "timezone": "America/New_York"}, {**DAILY, "status": "inactive"})
    found = json.loads(schedule(root, "next", "-n", "4", "--json").stdout)
    assert [row["due"] for row in found] == sorted(row["due"] for row in found)
    assert {(row["trigger"], row["due"][11:13]) for row in found} <= {("daily", "00"), ("there", "04"), ("there", "05")}


def test_a_trigger_is_paused_and_resumed(root: Path) -> None:
    assert schedule(root, "pause", "daily").exit_code == 0
    assert statuses(root) == {"daily": "paused", "by hand": "active"}
    assert schedule(root, "next").stdout == "nothing is due\n"
    assert schedule(root, "resume", "daily").exit_code == 0
    assert statuses(root)["daily"] == "active"
    assert "is not paused" in schedule(root, "resume", "daily").stderr


def test_a_trigger_that_is_never_due_cannot_be_paused(root: Path) -> None:
    triggers(root, {**DAILY, "status": "inactive"})
    said = schedule(root, "pause", "daily")
    assert (said.exit_code, "trigger 'daily' is inactive" in said.stderr) == (2, True)
    assert "pipelines/p/triggers.yaml:2" in said.stderr


def test_an_unknown_name_is_an_error_with_a_suggestion(root: Path) -> None:
    assert "Did you mean 'daily'?" in schedule(root, "pause", "dayly").stderr


def test_a_file_that_cannot_be_read_is_told_beside_the_triggers_of_others_or_in_their_place(root: Path) -> None:
    write_project(root, [], {}, pipeline="q")
    (root / "pipelines/q/triggers.yaml").write_text("triggers: [\n")
    said = schedule(root, "list")
    assert (said.exit_code, "daily" in said.stdout) == (0, True)
    assert "warning: not valid YAML" in said.stderr
    assert "  where: pipelines/q/triggers.yaml:2\n  next:" in said.stderr
    assert "next:  triggers here: by hand, daily; those of q cannot be read now" in schedule(root, "show", "x").stderr
    triggers(root)
    for words in (["list", "--json"], ["next"], ["pause", "x"]):
        alone = schedule(root, *words)
        assert (alone.exit_code, alone.stdout) == (2, "")
        assert "error: not valid YAML" in alone.stderr
        assert "where: pipelines/q/triggers.yaml:2" in alone.stderr


def test_what_is_wrong_with_a_trigger_is_told_by_list_and_check(root: Path) -> None:
    triggers(root, {**DAILY, "schedule_interval": "0 25 * * *"})
    assert statuses(root) == {"daily": "broken"}
    paused = schedule(root, "pause", "daily")
    assert (paused.exit_code, paused.stderr.count("where:"), "status: active" in paused.stderr) == (2, 1, False)
    said = CliRunner().invoke(cli, ["check", "--project", str(root)])
    assert (said.exit_code, "error: trigger 'daily' has no schedule_interval" in said.stdout) == (2, True)
    assert "where: pipelines/p/triggers.yaml:2" in said.stdout


def test_a_trigger_with_a_mistake_that_does_not_count_says_so_in_the_list(root: Path) -> None:
    triggers(root, {**DAILY, "name": "a\nb\x1b[31m", "settings": {"timeout": -1}})
    said = schedule(root, "list")
    assert "a\\nb\\x1b[31m  p         @daily    active, 1 mistake" in said.stdout
    assert "warning: 'timeout' of a trigger's settings must be" in said.stderr
    assert "where: pipelines/p/triggers.yaml:" in said.stderr


def test_a_scheduler_moves_no_cursor_whatever_it_is_given_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    PlainWatcher().trouble("p.a\x1b[31m cannot look\n  next:  b")
    assert capsys.readouterr().out[20:] == " warning: p.a\\x1b[31m cannot look\n  next:  b\n"


def test_moments_have_seconds_where_they_say_something(root: Path) -> None:
    assert "00:00 UTC  daily" in schedule(root, "next").stdout
    triggers(root, DAILY, {**DAILY, "name": "later", "schedule_interval": "0 0 * * * 10"})
    said = schedule(root, "next", "-n", "2").stdout
    assert all(words in said for words in ("00:00:00 UTC  daily", "00:00:10 UTC  later"))
    assert "00:00:10\n" in schedule(root, "list").stdout


def test_what_is_wrong_with_the_project_is_counted_once_for_all_pipelines(root: Path) -> None:
    write_project(root, [], {}, pipeline="q")
    (root / "metadata.yaml").write_text("notification_config: {alert_on: [nope]}\n")
    said = CliRunner().invoke(cli, ["check", "--project", str(root)])
    assert (said.exit_code, said.stdout.count("alert_on has no 'nope'"), "1 problem found" in said.stderr) == (
        2,
        2,
        True,
    )


def test_a_trigger_is_run_once_with_its_variables(root: Path) -> None:
    triggers(root, {**DAILY, "variables": {"service": "green", "months": ["2020-10", "2020-11"]}})
    command = [sys.executable, "-m", "mage_project", "schedule", "run-once", "daily"]
    said = subprocess.run([*command, "--project", str(root)], capture_output=True, text=True, check=True)
    assert "prod green ['2020-10', '2020-11']" in said.stdout
    runs = CliRunner().invoke(cli, ["runs", "list", "--json", "--project", str(root)])
    assert [run["trigger"] for run in json.loads(runs.stdout)] == ["daily"]


def test_a_trigger_shows_how_it_is_called(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAGE_PROJECT_API_TOKEN", raising=False)
    said = schedule(root, "show", "by hand").stdout
    assert "none: set MAGE_PROJECT_API_TOKEN" in said
    assert "curl -X POST http://127.0.0.1:6789/api/pipeline_schedules/" in said
    triggers(root, {"name": "by hand", "schedule_type": "api", "status": "active", "token": "a-token-of-its-own"})
    row = json.loads(schedule(root, "show", "by hand", "--json").stdout)
    assert (row["token"], row["listening"]) == ("`token` in triggers.yaml", False)
    assert "a-token-of-its-own" not in json.dumps(row)
    assert schedule(root, "pause", "by hand").exit_code == 0
    assert statuses(root) == {"by hand": "paused"}


def test_a_trigger_shows_what_is_there_of_what_it_watches(root: Path) -> None:
    (root / "in").mkdir()
    file = root / "in/a.csv"
    file.write_text("x")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    content = {"triggers": [{"name": "t", "schedule_type": "event"}], "mage_project": {"t": {"watch": "in"}}}
    (root / "pipelines/p/triggers.yaml").write_text(yaml.safe_dump(content))
    assert "there      in/a.csv, 1 bytes, of 2023-11-14T22:13:20+00:00" in schedule(root, "show", "t").stdout
    triggers(root, {"name": "t", "schedule_type": "event"})
    assert "watches nothing here" in schedule(root, "show", "t").stdout


def test_a_run_whose_scheduler_is_gone_is_shown_as_it_ended(root: Path) -> None:
    record = run_pipeline(Project(root), "p", {"months": "2020-11"})
    store = store_of(root, print)
    assert store is not None
    due = {"pipeline": "p", "trigger_name": "daily", "due_at": 86_400.0, "due_until": 86_400.0}
    with store.transaction(write=True) as transaction:
        put_found(store, transaction, [DueRun(**due, status="running", run_id=record.run_id, attempts=1)])
    [last] = [row["last"] for row in json.loads(schedule(root, "list", "--json").stdout) if row["trigger"] == "daily"]
    assert (last["status"], last["run_id"]) == ("completed", record.run_id)

"""What blocks say is in the log of their run: with time, block and level, without secrets, and never in the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from mage_project.cli.commands import cli
from mage_project.errors import UsageError
from mage_project.history.logs import find, folder_of, follow, lines, path_of
from mage_project.history.runs import newest
from mage_project.history.sqlite import SqliteStore
from mage_project.project import Project
from mage_project.runner.log import Log
from mage_project.runner.running import run_pipeline
from tests.history.conftest import BLOCKS, CODE
from tests.history.test_ledger import Heard
from tests.projects import write_project

TALKING = """
    import warnings

    @data_loader
    def f(logger, **kwargs):
        print('the password is', kwargs['password'])
        logger.info('a line')
        logger.error('another')
        warnings.warn('odd')
        return [1, 2]
"""


def test_a_log_has_what_blocks_said_with_its_level_and_without_secrets(tmp_path: Path) -> None:
    project = write_project(tmp_path, BLOCKS, {**CODE, "load": TALKING})
    record = run_pipeline(project, "p", {"password": "hunter2hunter2"})
    every = list(lines(path_of(tmp_path, record.run_id)))
    assert [(line["level"], line["text"]) for line in every if line["block"] == "load"][1:-1] == [
        ("info", "the password is ***"),
        ("info", "a line"),
        ("error", "another"),
        ("warning", "odd"),
    ]
    assert every[0]["text"] == f"run {record.run_id} of p"
    assert every[-1]["status"] == "completed"
    assert sorted(line["time"] for line in every) == [line["time"] for line in every]


def test_the_log_of_a_failed_run_has_its_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = write_project(
        tmp_path, BLOCKS, {**CODE, "save": "@data_exporter\ndef f(frame):\n    raise ValueError('no')"}
    )
    record = run_pipeline(project, "p")
    words = ["runs", "logs", record.run_id[:-2], "--level", "error", "--block", "save", "--project", str(tmp_path)]
    cli(words, standalone_mode=False)
    assert "save: error: ValueError: no" in capsys.readouterr().out


def test_of_a_block_that_the_run_has_not_its_log_says_which_it_has(tmp_path: Path) -> None:
    loader = "@data_loader\ndef f(**kwargs):\n    raise ValueError(1)\n"
    record = run_pipeline(write_project(tmp_path, BLOCKS, {**CODE, "load": loader}), "p")
    log = Log(path_of(tmp_path, record.run_id))
    log.write("info", "load:0", "a child's")
    log.close()
    words = ["runs", "logs", record.run_id, "--project", str(tmp_path), "--block"]
    said = CliRunner().invoke(cli, [*words, "loda"])
    assert (said.exit_code, said.stdout) == (2, "")
    assert "has no block 'loda'. Did you mean 'load'?\n  next:  blocks of it: load, save, load:0" in said.stderr
    assert CliRunner().invoke(cli, [*words, "load:0"]).stdout.endswith("load:0: a child's\n")
    never_begun = CliRunner().invoke(cli, [*words, "save"])
    assert (never_begun.exit_code, never_begun.stdout) == (0, "")


def test_a_log_that_is_followed_ends_with_its_run(tmp_path: Path) -> None:
    path, moments = tmp_path / "r.jsonl", iter(("b", None))
    log = Log(path)
    log.write("info", None, "a")

    def wait(_seconds: float) -> None:
        text = next(moments)
        log.write("info", None, text or "end", **({} if text else {"status": "completed"}))

    assert [line["text"] for line in follow(path, lambda: True, wait=wait)] == ["a", "b", "end"]
    log.close()


def test_following_the_log_of_a_run_that_was_killed_ends(tmp_path: Path, store: SqliteStore) -> None:
    loader = "import time, os\n@data_loader\ndef f(**kwargs):\n    print('pid', os.getpid())\n    time.sleep(60)\n"
    write_project(tmp_path, BLOCKS, {**CODE, "load": loader})
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-m", "mage_project", "run", "p", "--project", str(tmp_path)]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as command:
        assert command.stdout
        worker = next(int(line.split()[-1]) for line in command.stdout if "pid" in line)
        while [run.status for run in newest(store)] != ["running"]:
            time.sleep(0.02)
        follower = subprocess.Popen(
            [*words[:3], "runs", "logs", newest(store)[0].run_id, "-f", "--json", "--project", str(tmp_path)],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert follower.stdout
        assert follower.stderr
        with follower:
            assert json.loads(follower.stdout.readline())["block"] is None
            os.kill(worker, signal.SIGKILL)
            assert f"pid {worker}" in follower.stdout.read()
            assert f"run {newest(store)[0].run_id} has crashed: " in follower.stderr.read()
    assert follower.returncode == 0


def test_half_a_line_of_a_killed_run_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"text": "a"}\n{"te')
    assert [line["text"] for line in lines(path)] == ["a"]
    assert [line["text"] for line in follow(path, lambda: False)] == ["a"]


def test_a_block_that_prints_without_end_fills_no_disk(tmp_path: Path) -> None:
    log = Log(tmp_path / "r.jsonl", limit_bytes=1_000)
    for _ in range(100):
        log.write("info", "a", "x" * 50)
    log.write("error", None, "why it failed", always=True)
    log.close()
    texts = [line["text"] for line in lines(tmp_path / "r.jsonl")]
    assert len(texts) < 15
    assert texts[-2:] == ["the log is full: more of what blocks say is left out", "why it failed"]


def test_a_log_that_cannot_be_written_costs_no_run(project: Project) -> None:
    folder_of(project.root).parent.mkdir()
    folder_of(project.root).write_text("in the way")
    heard = Heard()
    assert run_pipeline(project, "p", reporter=heard).status == "completed"
    assert any("the log of this run is not whole" in line for line in heard.lines)


def test_a_name_that_says_too_little_is_an_error(tmp_path: Path) -> None:
    folder_of(tmp_path).mkdir(parents=True)
    for name in ("ab", "abc", "abd"):
        path_of(tmp_path, name).touch()
    assert find(tmp_path, "ab").stem == "ab"
    for name in ("a", "x"):
        with pytest.raises(UsageError):
            find(tmp_path, name)

"""What is left of a run that is told to stop, or whose command is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.projects import block, write_project

SLOW = """
import os, pathlib, time

@data_loader
def load(**kwargs):
    pathlib.Path("started").write_text(str(os.getpid()))
    try:
        time.sleep(60)
    finally:
        pathlib.Path("ended").write_text("")
"""


@pytest.fixture
def running(tmp_path):
    """A run that is in the middle of a block: the command's process, and the worker's id."""
    write_project(tmp_path, [block("load", "data_loader")], {"load": SLOW})
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = subprocess.Popen(
        [sys.executable, "-m", "mage_project", "run", "p"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
    )
    until(lambda: (tmp_path / "started").is_file() and (tmp_path / "started").read_text())
    yield command, int((tmp_path / "started").read_text())
    command.kill()
    command.wait()
    command.stdout.close()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(("signum", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_run_cleanly(running, tmp_path, signum, exit_code):
    command, worker = running
    command.send_signal(signum)
    out, _ = command.communicate(timeout=20)
    assert command.returncode == exit_code
    assert "interrupted" in out
    assert (tmp_path / "ended").is_file()
    assert not is_alive(worker)


#: Presses Ctrl-C when the module is imported that is named in the environment.
PRESSING = """
import importlib.abc, os, signal, sys

class Pressing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == os.environ["PRESSED_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Pressing())
"""


@pytest.mark.parametrize(
    ("words", "at"),
    [
        (["run", "p"], "click"),
        (["runs", "list"], "mage_project.cli.runs"),
        (["run", "p"], "mage_project.runner.running"),
        (["run", "p"], "mage_project.history.entries"),
    ],
    ids=str,
)
def test_ctrl_c_at_any_moment_is_one_line(tmp_path, words, at):
    write_project(tmp_path, [block("load", "data_loader")], {"load": SLOW.replace("60", "0")})
    (tmp_path / "sitecustomize.py").write_text(PRESSING)
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}", "PRESSED_AT": at}
    command = [sys.executable, "-m", "mage_project", *words]
    told = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (130, "error: interrupted (Ctrl-C)\n")


def test_a_killed_command_leaves_no_worker(running, tmp_path):
    command, worker = running
    command.kill()
    until(lambda: not is_alive(worker))
    assert (tmp_path / "ended").is_file()


def test_a_killed_worker_ends_the_command(running):
    command, worker = running
    os.kill(worker, signal.SIGKILL)
    assert command.wait(timeout=20) == 128 + signal.SIGKILL

"""A run that is profiled, by the real py-spy; and one that cannot be, and runs all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mage_project.runner.profiling import Spy
from tests.projects import block, write_project

SPIN = """
import time

def spin_in_{0}(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))

@data_loader
def load(**kwargs):
    spin_in_{0}(0.5)
"""
#: Even root may not look into it: its process is private, and what it starts has no power over others.
PRIVATE = """
import ctypes, sys
from pathlib import Path
from mage_project.runner.profiling import profiled

prctl = ctypes.CDLL(None).prctl
prctl(24, 19, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_SYS_PTRACE
prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
with profiled(Path(sys.argv[1]), print):
    print("it runs")
"""
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    names = ("green", "yellow")
    return write_project(
        tmp_path, [block(name, "data_loader") for name in names], {name: SPIN.format(name) for name in names}
    )


def run(project, *words, python=sys.executable, **env):
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), **env}
    command = [python, "-m", "mage_project", "run", "p", *words]
    return subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True, check=False)


def test_a_profile_shows_the_functions_of_blocks_in_threads_of_their_names(project):
    done = run(project, "--profile", "flames.svg")
    assert done.stdout.splitlines()[-1] == "profile: flames.svg"
    drawn = (project.root / "flames.svg").read_text()
    for name in ("green", "yellow"):
        assert f"spin_in_{name} ({name}.py:" in drawn
        assert f": {name} (" in drawn  # thread (0x12): green (45 samples, 50%)


def test_a_profile_lies_with_those_of_other_runs_where_no_file_is_named(project):
    done = run(project, "--only", "green", "--profile")
    [file] = (project.root / ".mage_project/profiles").iterdir()
    assert f"profile: .mage_project/profiles/{file.name}" in done.stdout
    assert f"run {file.stem} of p" in done.stdout


def test_a_run_that_fails_has_a_profile_and_its_own_exit_code(project):
    (project.root / "data_loaders/green.py").write_text(SPIN.format("green") + "    raise ValueError('no')\n")
    done = run(project, "--only", "green", "--profile", "flames.svg")
    assert (done.returncode, "spin_in_green" in (project.root / "flames.svg").read_text()) == (1, True)


def test_without_py_spy_a_run_says_what_to_install_and_runs(project, tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    packages = os.pathsep.join([str(CHECKOUT), *(path for path in sys.path if path.endswith("site-packages"))])
    done = run(project, "--profile", python=str(bare / "bin/python"), PYTHONPATH=packages, PATH="/nowhere")
    assert done.returncode == 0, done.stderr
    assert "no profile of this run: py-spy is not installed: pip install 'mage-project[profile]'" in done.stdout
    assert "✓ p completed" in done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl(2) is Linux's")
def test_where_looking_is_refused_the_run_says_so_and_runs(tmp_path):
    command = [sys.executable, "-c", PRIVATE, tmp_path / "flames.svg"]
    told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "may not look into the process (ptrace)" in told[0]
    assert told[1:] == ["it runs"]


def test_what_py_spy_cannot_read_is_told_in_its_words(tmp_path):
    other = subprocess.Popen(["sleep", "60"])
    spy = Spy(str(Path(sys.executable).with_name("py-spy")), other.pid, tmp_path / "flames.svg")
    spy.wait_until_it_looks()
    assert (spy.looks, spy.trouble) == (False, "py-spy: Failed to find python version from target process")
    spy.close()
    other.kill()
    other.wait()


@pytest.mark.parametrize("words", [["--profile", "p"], ["--profile", "nowhere/flames.svg"], ["--profile", "a.html"]])
def test_a_profile_that_no_browser_would_open_is_refused_before_anything_runs(project, words):
    done = run(project, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for '--profile': '{words[1]}'" in done.stderr

"""The box itself: that the suite would notice what it promises not to do."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.conformance.box import REPOSITORY, THIS_CHECKOUT, Box
from tests.conformance.runners import our_commands


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(folder=tmp_path, stores={})


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)", "a connection to 192.0.2.1"),
        ("import urllib.request; urllib.request.urlopen('http://mage.example')", "a connection to mage.example"),
        (f"open({str(REPOSITORY / 'left.txt')!r}, 'w')", "writing"),
        (f"import os; os.mkdir({str(REPOSITORY / 'left')!r})", "writing"),
    ],
    ids=["an address", "a name", "a file of the repository", "a folder of the repository"],
)
def test_what_has_no_place_in_a_test_is_refused_and_noticed(code: str, what: str, box: Box) -> None:
    with pytest.raises(AssertionError):
        box.run(sys.executable, "-c", code)
    assert box.refused.startswith(what)


def test_a_process_that_is_left_is_noticed(box: Box) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("processes are found by their environment in /proc, which is Linux's")
    with pytest.raises(AssertionError):
        box.run("sh", "-c", "sleep 60 >/dev/null 2>&1 &")
    for process in box.processes:
        os.kill(process, signal.SIGKILL)


def test_our_commands_are_those_of_this_checkout(box: Box) -> None:
    code = "import mage_project; print(mage_project.__file__)"
    ended = box.run(our_commands() / "python", "-c", code, env={**THIS_CHECKOUT, "PYTHONSAFEPATH": "1"})
    assert Path(ended.out.strip()).is_relative_to(REPOSITORY)

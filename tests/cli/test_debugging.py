"""The debugger in the terminal of a run, through the worker."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.projects import block, write_project

LOAD = "@data_loader\ndef load(**kwargs):\n    return {'fares': [1, 0]}\n"
FAIL = """
@transformer
def divide(data, *args, **kwargs):
    shares = [10 // fare for fare in data['fares']]
    return shares
"""


class Terminal:
    """A command in a terminal of its own, for who types into it."""

    def __init__(self, *words: str, cwd: Path) -> None:
        self._own, theirs = pty.openpty()
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "dumb", "PYTHON_COLORS": "0"}
        command = [sys.executable, "-m", "mage_project", *words]
        self._process = subprocess.Popen(command, cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.shown = ""

    def until(self, text: str, seconds: float = 60) -> str:
        """What is shown up to the text, which is then forgotten."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            if select.select([self._own], [], [], 0.1)[0]:
                self.shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", os.read(self._own, 65_536).decode())
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, line: str) -> None:
        os.write(self._own, f"{line}\n".encode())

    def exit_code(self) -> int:
        try:
            while data := os.read(self._own, 65_536):
                self.shown += data.decode()
        except OSError:  # the other end is closed
            pass
        return self._process.wait(60)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._own)


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def open_(*words):
        opened.append(Terminal(*words, cwd=tmp_path))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def two_blocks(root, code):
    blocks = [block("load", "data_loader"), block("divide", "transformer", "load")]
    write_project(root, blocks, {"load": LOAD, "divide": code})


@pytest.mark.parametrize("words", [["run", "p"], ["block", "divide"]], ids=" ".join)
def test_a_failure_opens_the_debugger_where_the_inputs_are_names(tmp_path, terminal, mage_project, words):
    two_blocks(tmp_path, FAIL)
    mage_project("run", "p")
    session = terminal(*words, "--debug")
    assert "divide failed: ZeroDivisionError" in session.until("(Pdb) ")
    session.type("u" if sys.version_info < (3, 12) else "p 'here'")  # a comprehension had a frame of its own
    session.until("(Pdb) ")
    session.type("p sum(data['fares']) + 41")
    assert "42" in session.until("(Pdb) ")
    session.type("q")
    assert session.exit_code() == 1
    assert "divide.py:4" in session.shown


def test_a_failed_test_opens_it_too(tmp_path, terminal):
    test = "@test\ndef t(output, *args):\n    assert not output\n"
    two_blocks(tmp_path, f"@transformer\ndef f(data, **kwargs):\n    return data\n\n{test}")
    session = terminal("run", "p", "--debug")
    session.until("(Pdb) ")
    session.type("p output")
    assert "{'fares': [1, 0]}" in session.until("(Pdb) ")
    session.type("q")
    assert session.exit_code() == 3


def test_a_breakpoint_stops_a_block_and_lets_it_go_on(tmp_path, terminal):
    two_blocks(tmp_path, "@transformer\ndef f(data, **kwargs):\n    breakpoint()\n    return data['fares']\n")
    session = terminal("run", "p")
    session.until("(Pdb) ")
    session.type("data['fares'].append(5)")
    session.until("(Pdb) ")
    session.type("c")
    assert session.exit_code() == 0
    assert "p completed" in session.shown


def test_quitting_at_a_breakpoint_ends_the_run(tmp_path, terminal):
    two_blocks(tmp_path, "@transformer\ndef f(data, **kwargs):\n    breakpoint()\n    return data\n")
    session = terminal("run", "p")
    session.until("(Pdb) ")
    session.type("q")
    assert session.exit_code() == 130


def test_without_a_terminal_it_says_so(tmp_path, mage_project):
    two_blocks(tmp_path, "@transformer\ndef f(data, **kwargs):\n    breakpoint()\n    return data\n")
    refused = mage_project("run", "p", "--debug")
    assert refused.returncode == 2
    assert "--debug needs a terminal" in refused.stderr
    passed = mage_project("run", "p")
    assert passed.returncode == 0
    assert "breakpoint() is passed over" in passed.stdout

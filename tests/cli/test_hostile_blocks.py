"""Blocks that do what they should not: each run ends with a record that says so, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mage_project.history import logs
from mage_project.history.runs import StoredRun, newest
from mage_project.history.sqlite import SqliteStore
from tests.projects import block, write_project

_LOADER = "@data_loader\ndef load(**kwargs):\n    return [1, 2, 3]\n"
#: Says that it has been here, once for each process that was.
_SAVER = """
    import os

    @data_exporter
    def save(values, **kwargs):
        with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), 'saved'), 'a') as saved:
            saved.write(f'{values}\\n')
"""
MARK = "MAGE_PROJECT_TEST"


@dataclass(frozen=True, kw_only=True)
class Ended:
    code: int
    out: str
    run: StoredRun


@dataclass(kw_only=True)
class Scene:
    """A project whose block in the middle is told what to do."""

    root: Path
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def start(self, body: str, *words: str) -> subprocess.Popen[str]:
        code = "import os, signal, subprocess, sys, threading, time\n\n@transformer\ndef t(values, **kwargs):\n"
        code += "".join(f"    {line}\n" for line in body.strip().splitlines()) + "    return values\n"
        blocks = [block("load", "data_loader"), block("t", "transformer", "load"), block("save", "data_exporter", "t")]
        write_project(self.root, blocks, {"load": _LOADER, "t": code, "save": _SAVER})
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), MARK: self.mark}
        command = [sys.executable, "-m", "mage_project", "run", "p", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.root, env=env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def ended(self, process: subprocess.Popen[str]) -> Ended:
        """How it ended. No process is left of it."""
        out, _ = process.communicate(timeout=120)
        assert not self.processes()
        return Ended(code=process.returncode, out=out, run=self.run())

    def run_with(self, body: str, *words: str) -> Ended:
        return self.ended(self.start(body, *words))

    def run(self) -> StoredRun:
        [run] = newest(SqliteStore(self.root / ".mage_project/history.db", print))
        return run

    def saved(self) -> list[str]:
        path = self.root / "saved"
        return path.read_text().splitlines() if path.exists() else []

    def processes(self) -> list[int]:
        """The living processes of the run; Linux only, elsewhere none."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                is_mine = f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes()
            except OSError:
                continue
            found += [int(process.name)] if is_mine else []
        return found

    def wait_for(self, name: str) -> None:
        deadline = time.monotonic() + 60
        while not (self.root / name).exists():
            assert time.monotonic() < deadline, name
            time.sleep(0.02)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(root=tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        "if os.fork() == 0:\n    time.sleep(600)\n    os._exit(0)",
        "subprocess.Popen(['sleep', '600'])",
        "if os.fork() == 0:\n    return [9]\nos.wait()",
        "if os.fork() == 0:\n    raise ValueError('of the child')\nos.wait()",
        "if os.fork() == 0:\n    sys.exit(3)\nos.wait()",
        "[threading.Thread(target=time.sleep, args=(600,)).start() for _ in range(50)]",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "sys.stdout.close()\nsys.__stdout__.close()\nsys.__stderr__.close()",
        "os.closerange(0, 100)",
        "os.chdir('/')",
        "os.unlink(__file__)",
        "import shutil\nshutil.rmtree(os.path.dirname(os.path.dirname(__file__)) + '/.mage_project')",
        "import builtins\ndef no(*given):\n    raise RuntimeError\nbuiltins.print = builtins.len = builtins.open = no",
        "sys.setrecursionlimit(60)",
        "print('half of a character: \\ud800')",
        "import atexit\natexit.register(time.sleep, 600)",
    ],
    ids=[
        *("a child that goes on", "a program that goes on", "a child that returns", "a child that raises"),
        *("a child that exits", "threads that never end", "children that nobody waits for", "closed output"),
        *("closed files", "another folder", "its own file", "the history", "what is built in", "recursion"),
        *("no text", "something to do at the end"),
    ],
)
def test_a_run_comes_to_its_end_whatever_a_block_leaves(scene: Scene, body: str) -> None:
    ended = scene.run_with(body)
    assert (ended.code, ended.run.status, scene.saved()) == (0, "completed", ["[1, 2, 3]"]), ended.out


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("class Mine(BaseException):\n    pass\nraise Mine('mine')", "Mine: mine"),
        ("def deeper(n):\n    return deeper(n + 1) + 1\ndeeper(0)", "RecursionError"),
        ("raise ValueError('x' * 5_000_000)", "… (5,000,000 characters)"),
        ("class Odd(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Odd", "cannot be read (ZeroDiv"),
        ("raise ValueError('half of a character: \\ud800')", "half of a character: \\ud800"),
        ("os.unlink(__file__)\nraise ValueError('gone')", "ValueError: gone"),
        ("class Odd:\n    def __getattr__(self, name):\n        return 1 / 0\nreturn Odd()", "ZeroDivisionError"),
        ("sys.settrace(lambda *given: 1 / 0)", "ZeroDivisionError"),
        ("global kept\nkept = []\nwhile True:\n    kept.append(open(__file__))", "Too many open files"),
        ("bytearray(10**15)", "MemoryError"),
    ],
    ids=lambda given: given.splitlines()[0][:40],
)  # fmt: skip
def test_what_a_block_raises_is_told_with_its_place_and_the_run_can_be_resumed(
    scene: Scene, body: str, said: str
) -> None:
    ended = scene.run_with(body)
    assert (ended.code, ended.run.status, ended.run.exit_code, scene.saved()) == (1, "failed", 1, [])
    assert said in (ended.run.error or "")
    assert "where: block 't', transformers/t.py:" in (ended.run.error or "")
    assert f"mage-project resume {ended.run.run_id}" in ended.out
    assert ended.out.count("Traceback") == 0


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("os._exit(0)", 1, "ended from inside (os._exit(0)"),
        ("os._exit(7)", 1, "ended from inside (os._exit(7)"),
        ("os.abort()", 134, "SIGABRT"),
        ("import ctypes\nctypes.string_at(0)", 139, "SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "SIGKILL; was memory short?"),
    ],
    ids=["exits", "exits with a code", "aborts", "segfaults", "is killed"],
)
def test_a_run_that_cannot_say_how_it_ended_is_written_down_as_crashed(
    scene: Scene, body: str, code: int, said: str
) -> None:
    ended = scene.run_with(body)
    assert (ended.code, ended.run.status, ended.run.exit_code, scene.saved()) == (code, "crashed", code, [])
    assert said in (ended.run.error or "")
    assert said in ended.out
    assert "next:  mage-project resume 2" in ended.out
    assert ended.run.ended_at is not None


_DEAF = """
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
open('deaf', 'w').close()
"""


def test_a_block_that_ignores_signals_is_killed_at_the_third(scene: Scene) -> None:
    process = scene.start(_DEAF + "time.sleep(600)")
    scene.wait_for("deaf")
    for _ in range(3):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)  # two of the same at once would be one
    ended = scene.ended(process)
    assert (ended.code, ended.run.status) == (143, "crashed")
    assert "did not stop at SIGTERM" in ended.out


def test_signals_count_again_when_the_block_has_ended_that_ignored_them(scene: Scene) -> None:
    process = scene.start(_DEAF + "while not os.path.exists('go on'):\n    time.sleep(0.02)")
    scene.wait_for("deaf")
    process.send_signal(signal.SIGINT)
    (scene.root / "go on").touch()
    ended = scene.ended(process)
    assert (ended.code, ended.run.status) == (130, "failed")


@pytest.mark.parametrize(
    "body",
    ["for _ in range({lines}):\n    print('x' * 99)", "for _ in range({lines}):\n    print('x' * 100, end='')"],
    ids=["lines", "one line"],
)
def test_a_block_that_prints_very_much_takes_no_memory_for_it_and_fills_no_log(scene: Scene, body: str) -> None:
    """`PRINTED_MB` says how much, 5 MB where it is not set. The log takes no more than 50 MB."""
    size_bytes = int(float(os.environ.get("PRINTED_MB", "5")) * 1e6)
    with subprocess.Popen(["wc", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as counter:
        process = scene.start(body.format(lines=size_bytes // 100))
        assert process.stdout is not None
        assert counter.stdin is not None
        for line in process.stdout:
            counter.stdin.write(line)
        ended = scene.ended(process)
        counted = int(counter.communicate()[0])
    assert (ended.code, ended.run.status) == (0, "completed")
    assert counted > size_bytes
    assert (ended.run.peak_rss_bytes or 0) < 150e6
    assert logs.path_of(scene.root, ended.run.run_id).stat().st_size < 51e6


def test_a_block_that_kills_the_command_ends_with_what_it_has_started(scene: Scene) -> None:
    process = scene.start("subprocess.Popen(['sleep', '600'])\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)")
    process.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while scene.processes():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (process.returncode, scene.run().status, scene.run().exit_code) == (-9, "failed", 143)


def test_a_pool_of_processes_is_ended_without_a_word(scene: Scene) -> None:
    ended = scene.run_with(
        "from multiprocessing import get_context\n"
        "with get_context('fork').Pool(2) as pool:\n    values = pool.map(abs, values)"
    )
    assert (ended.code, scene.saved()) == (0, ["[1, 2, 3]"])
    assert "Interrupted" not in ended.out


def test_what_could_not_be_written_from_inside_is_written_from_outside(scene: Scene) -> None:
    """Its process can open no file any more, so the command writes how it ended; with the records of its blocks."""
    ended = scene.run_with("import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))", "--json")
    assert (ended.code, ended.run.status) == (1, "failed")
    assert "Too many open files" in (ended.run.error or "")
    words = [sys.executable, "-m", "mage_project", "runs"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    verified = subprocess.run([*words, "verify"], cwd=scene.root, env=env, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout
    shown = subprocess.run(
        [*words, "show", ended.run.run_id, "--json"], cwd=scene.root, env=env, capture_output=True, text=True
    )
    blocks: list[dict[str, Any]] = json.loads(shown.stdout)["blocks"]
    assert [each["status"] for each in blocks[:2]] == ["completed", "completed"]

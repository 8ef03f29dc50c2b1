from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mage_project.history.runs import StoredRun, newest
from mage_project.history.sqlite import SqliteStore
from tests.projects import block, write_project

#: Says when it began and when it was through, fails or is slow as the variables say, and knows nothing after 2030.
_LOADER = """
    import os, time

    class NotThere(FileNotFoundError):
        not_published = True

    @data_loader
    def load(**kwargs):
        month = f"{kwargs['execution_date']:%Y-%m}"
        note('begun', month)
        if month in kwargs.get('absent', []):
            raise NotThere(f'{month} is not published')
        if month in kwargs.get('broken', []):
            raise ValueError(f'{month} is broken')
        time.sleep(kwargs.get('slow', 0))
        note('done', month)
        length = kwargs['interval_end_datetime'] - kwargs['interval_start_datetime']
        assert kwargs['interval_seconds'] == length.total_seconds()
        assert 'trigger_name' not in kwargs
        return [{'month': month}] * 10

    def note(word, month):
        with open('notes', 'a') as notes:
            notes.write(f'{word} {month} {os.getpid()}\\n')
"""
_EXPORTER = "@data_exporter\ndef save(frame, **kwargs):\n    pass\n"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A project with the pipeline `p`, and its command."""

    root: Path

    @property
    def store(self) -> SqliteStore:
        return SqliteStore(self.root / ".mage_project/history.db", print)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`mage-project backfill p`, with --json, in a process of its own."""
        command = [sys.executable, "-m", "mage_project", "backfill", "p", "--json", *words]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.root, env=env, stdout=pipe, stderr=pipe, text=True)

    def backfill(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Its exit code and what it printed."""
        return finished(self.start(*words))

    def notes(self, word: str) -> Counter[str]:
        """How often each month has begun, or is done."""
        lines = self._notes()
        return Counter(month for said, month, _ in lines if said == word)

    def wait_for(self, word: str, month: str) -> int:
        """The process that says so."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for said, of, pid in self._notes():
                if (said, of) == (word, month):
                    return int(pid)
            time.sleep(0.02)
        raise AssertionError(f"never: {word} {month}")

    def runs(self) -> list[StoredRun]:
        return newest(self.store, limit=100)

    def _notes(self) -> list[list[str]]:
        path = self.root / "notes"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def finished(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    out, error = process.communicate(timeout=60)
    assert out, error
    return process.returncode, json.loads(out)


def statuses(receipt: dict[str, Any]) -> dict[str, str]:
    return {outcome["interval"]: outcome["status"] for outcome in receipt["intervals"]}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    blocks = [block("load", "data_loader"), block("save", "data_exporter", "load")]
    write_project(tmp_path, blocks, {"load": _LOADER, "save": _EXPORTER})
    return Scene(root=tmp_path)


@pytest.fixture
def gone() -> Callable[[int], None]:
    """Waits until the process is gone."""

    def wait(pid: int) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                os.kill(pid, signal.SIG_DFL)
            except ProcessLookupError:
                return
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
            time.sleep(0.02)
        raise AssertionError(f"process {pid} goes on")

    return wait

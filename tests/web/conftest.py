"""A scheduler in a process of its own that listens, and a client for it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import yaml

from mage_project.history.runs import StoredRun, newest
from mage_project.history.sqlite import SqliteStore
from mage_project.schedule.catalogue import number_of
from tests.projects import block, write_project

TOKEN = "0123456789abcdef0123456789abcdef"
OWN = "the-token-of-the-process-itself"
JSON = {"Content-Type": "application/json"}
NUMBER = number_of("p", "hook")
HOOK = f"/api/pipeline_schedules/{NUMBER}/api_trigger"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
#: Notes what it was given, and takes as long as `slow` says.
_LOADER = """
    import json, time

    @data_loader
    def load(**kwargs):
        names = ('service', 'months', 'event', 'env', 'ref', 'password')
        said = {name: kwargs.get(name) for name in names} | {'date': str(kwargs['execution_date'])}
        time.sleep(kwargs.get('slow', 0))
        with open(__file__.rpartition('/data_loaders/')[0] + '/notes', 'a') as notes:
            notes.write(json.dumps(said) + '\\n')
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    code: int
    headers: dict[str, str]
    body: Any

    @property
    def run(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["pipeline_run"]
        return found

    @property
    def error(self) -> str:
        return str(self.body["error"]["message"])


@dataclass(kw_only=True)
class Scene:
    """A project with the pipeline `p` and its API trigger `hook`."""

    root: Path
    port: int = 0

    @property
    def store(self) -> SqliteStore:
        return SqliteStore(self.root / ".mage_project/history.db", print)

    def triggers(self, *entries: dict[str, Any]) -> None:
        hook = {"name": "hook", "schedule_type": "api", "status": "active", "token": TOKEN}
        every = [hook | entry for entry in entries]
        (self.root / "pipelines/p/triggers.yaml").write_text(yaml.safe_dump({"triggers": every}))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`mage-project scheduler --listen`, up and answering."""
        command = [sys.executable, "-m", "mage_project", "scheduler", "--listen", ":0", *words]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "MAGE_PROJECT_API_TOKEN": OWN}
        process = subprocess.Popen(command, cwd=self.root, env=env, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        found = re.search(r"listening at http://127.0.0.1:(\d+)", process.stdout.readline())
        assert found, process.stdout.read()
        self.port = int(found[1])
        return process

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        process = self.start(*words)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """A request; `body` is sent as JSON, bytes as they are."""
        given = headers or {}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            connection.request(method, path, data, given if data is None else {**JSON, **given})
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = answer.headers.get_content_type() == "application/json"
            return Answer(code=answer.status, headers=dict(answer.headers), body=json.loads(text) if is_json else text)
        finally:
            connection.close()

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90
        while not done():
            assert time.monotonic() < deadline, self.notes()
            time.sleep(0.1)

    def ended(self, number: int) -> dict[str, Any]:
        """How the run stands when it has ended."""
        path = f"/api/pipeline_runs/{number}"
        self.until(lambda: self.ask("GET", path, headers=BEARER).run["status"] not in ("initial", "running"))
        return self.ask("GET", path, headers=BEARER).run

    def notes(self) -> list[dict[str, Any]]:
        path = self.root / "notes"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def runs(self) -> list[StoredRun]:
        return newest(self.store, limit=100)

    def statuses(self) -> Counter[str]:
        with self.store.transaction() as transaction:
            return Counter(row["status"] for row in transaction.run("SELECT status FROM due_run"))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    write_project(tmp_path, [block("load", "data_loader")], {"load": _LOADER}, variables={"ref": "main"})
    scene = Scene(root=tmp_path)
    scene.triggers({"variables": {"service": "green"}})
    return scene


@pytest.fixture
def served(scene: Scene) -> Iterator[Scene]:
    """The scene, with a scheduler that listens."""
    with scene.running():
        yield scene


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One for many tests that start nothing."""
    root = tmp_path_factory.mktemp("project")
    write_project(root, [block("load", "data_loader")], {"load": _LOADER})
    scene = Scene(root=root)
    scene.triggers({})
    with scene.running():
        yield scene

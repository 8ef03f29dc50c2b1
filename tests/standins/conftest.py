"""Whole little projects, run on a local stack that is already up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mage_project.local import LocalStack
from mage_project.runner.records import RunRecord
from mage_project.runner.reporting import Silent
from mage_project.runner.running import run_pipeline
from tests.projects import block, write_project

Ran = tuple[RunRecord, list[str]]
RunCode = Callable[..., Ran]


class Listening(Silent):
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, block: str | None, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="session")
def project_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a project whose local stack stays up for all tests."""
    root = tmp_path_factory.mktemp("theirs")
    stack = LocalStack(root)
    stack.up(("postgres", "gcs"))
    yield root
    stack.down()


@pytest.fixture
def stack(project_root: Path) -> Iterator[LocalStack]:
    """The stack that the blocks of a test use."""
    stack = LocalStack(project_root)
    stack.up(("postgres", "gcs"))
    yield stack
    stack.down()


@pytest.fixture(autouse=True)
def nobodys_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without an account, in whose environment nothing of ours is set."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST", "POSTGRES_HOST", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture
def run_code(project_root: Path) -> RunCode:
    """Runs one loader block of this code with --local; gives the record and the lines that were said."""

    def run(code: str, *, local: bool = True, profile: str = "", **variables: Any) -> Ran:
        config: Mapping[str, str] = {"io_config.yaml": profile or "version: 0.1.1\ndefault:\n  x: 1\n"}
        for name, text in config.items():
            (project_root / name).write_text(text)
        project = write_project(project_root, [block("theirs", "data_loader")], {"theirs": code})
        reporter = Listening()
        record = run_pipeline(project, "p", variables, reporter=reporter, local=local)
        return record, reporter.lines

    return run

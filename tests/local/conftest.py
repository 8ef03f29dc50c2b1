from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mage_project.local import LocalStack
from tests.local.owners import BOTH, Owner, OwnerFactory, eventually, processes_of


@pytest.fixture(scope="session")
def used_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose servers have run before and are stopped."""
    root = tmp_path_factory.mktemp("used project")
    stack = LocalStack(root)
    stack.up(BOTH)
    stack.down()
    return root


@pytest.fixture
def project(used_project: Path) -> Iterator[Path]:
    """A project whose servers are stopped, and which leaves no process behind."""
    yield used_project
    LocalStack(used_project).down()
    eventually(lambda: not processes_of(used_project))


@pytest.fixture
def owner() -> Iterator[OwnerFactory]:
    """Starts processes that use a stack; they are killed at the end of the test."""
    owners: list[Owner] = []

    def start(project: Path, code: str = "stack.up(BOTH)") -> Owner:
        owners.append(Owner(project, code))
        return owners[-1]

    yield start
    for process in owners:
        process.kill()

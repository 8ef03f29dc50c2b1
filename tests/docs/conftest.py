from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.terminal import Terminal, copy_of_the_project


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copy_of_the_project(tmp_path / "project")


@pytest.fixture
def terminal(clone: Path) -> Iterator[Terminal]:
    terminal = Terminal(clone)
    yield terminal
    terminal.close()

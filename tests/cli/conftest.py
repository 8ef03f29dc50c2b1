from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def mage_project(tmp_path: Path) -> Command:
    """The command, run in `tmp_path` as its own process."""

    def run(*words: str, cwd: Path = tmp_path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mage_project", *words]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]

    return run

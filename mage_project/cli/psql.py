"""psql on the local Postgres: the one on PATH, else the one that came with the server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mage_project.errors import ConfigError
from mage_project.local import LocalStack


def psql(project_root: Path, words: Sequence[str]) -> int:
    """Run psql with these arguments and return its exit code. The server runs at least as long as psql does.

    Raises ConfigError where there is no psql, and what `LocalStack.up` raises.
    """
    program = _program()
    stack = LocalStack(project_root)
    stack.up(("postgres",))
    before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is psql's: it ends a statement there, not psql
    try:
        return subprocess.run([program, *words], env={**os.environ, **stack.env(("postgres",))}).returncode
    finally:
        signal.signal(signal.SIGINT, before)
        stack.down()


def _program() -> str:
    from mage_project.local.binaries import postgres_programs

    on_path = shutil.which("psql")
    program = Path(on_path) if on_path else postgres_programs(None, None).folder / "psql"
    if not program.exists():
        raise ConfigError("there is no psql on this machine", hint="install it: it is in PostgreSQL's client package")
    return str(program)

"""Processes that use a local stack, and what is left of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import psycopg2.extensions

from mage_project.local import LocalStack

#: The services of most tests: BigQuery takes a second more to start.
BOTH = ("postgres", "gcs")

_PRELUDE = """
import os, signal, sys
from pathlib import Path
from mage_project.local import LocalStack
stack = LocalStack(Path(sys.argv[1]))
BOTH = ("postgres", "gcs")
"""
_POSTLUDE = """
print("ready", flush=True)
sys.stdin.read()
"""


class Owner:
    """A process that runs `code` with `stack`, says so, and lives until its standard input ends."""

    def __init__(self, project: Path, code: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PRELUDE + code + _POSTLUDE, str(project)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            text=True,
        )

    def is_ready(self) -> Owner:
        """Waits until `code` is done; fails where it failed."""
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        return self

    def leave(self) -> int:
        """Lets it end by itself; its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait()

    def kill(self) -> None:
        """Ends it without a chance to tidy up."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()


OwnerFactory = Callable[..., Owner]


def running(project: Path) -> set[str]:
    """The services that run."""
    return {service.name for service in LocalStack(project).status() if service.running}


def processes_of(project: Path) -> list[str]:
    """The command lines of all processes that name the project or work in it; Linux only, elsewhere none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            folder = (process / "cwd").readlink()
            if command and str(project) in f"{folder} {command}":
                found.append(command)
    return found


def eventually(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Waits until the condition holds; fails where it does not in `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@contextlib.contextmanager
def connection(stack: LocalStack) -> Iterator[psycopg2.extensions.connection]:
    """A connection to the stack's Postgres, as psycopg2 makes it from the environment's variables."""
    env = stack.env(("postgres",))
    opened = psycopg2.connect(
        host=env["PGHOST"], port=env["PGPORT"], user=env["PGUSER"], password=env["PGPASSWORD"], dbname=env["PGDATABASE"]
    )
    try:
        yield opened
    finally:
        opened.close()


def query(stack: LocalStack, sql: str) -> list[tuple[object, ...]]:
    """The rows of a statement, which is committed."""
    with connection(stack) as opened, opened, opened.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []

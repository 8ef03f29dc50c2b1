"""A shell that types what a page says, in a copy of the project, and compares what it says with what the page shows."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, Command, File

#: What no clone has.
_NOT_CLONED = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".venv-mage",
    ".mage_project",
    ".variables",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
    "data",
    "build",
)
#: Settings of this machine that would point the project elsewhere.
_FOREIGN = ("POSTGRES_", "PG", "GOOGLE_", "STORAGE_EMULATOR", "CLOUD_STORAGE", "TAXI_", "MAGE_", "VIRTUAL_ENV")
#: What differs from run to run, with what is compared instead.
_VARYING = (
    (re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{6}\b"), "RUN"),
    (re.compile(r"\bexecution date \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "DATE"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"\b\d+\.\d\d s\b"), "SECONDS"),
    (re.compile(r"^(\W .*?)\s+\d+\.\d\d\s+\d+\.\d\d(?:\s.*\b[\d,]+ MB\b.*)?$"), r"\1"),  # what a block took
    (re.compile(r"\b[\d,]+ MB\b"), "MEMORY"),
    (re.compile(r"\s+"), " "),
)


def copy_of_the_project(folder: Path) -> Path:
    """A copy as a clone would be, with a `.venv` that leads to the one that runs the tests."""
    shutil.copytree(ROOT, folder, ignore=_NOT_CLONED)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for program in Path(sys.executable).parent.iterdir():
        script = programs / program.name
        if program.is_file() and os.access(program, os.X_OK):
            script.write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
            script.chmod(0o755)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    (folder / ".venv" / ".ready").touch()
    return folder


class Terminal:
    """One shell for a whole page, so that `cd`, `export` and `$?` mean what they mean to a reader."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        env = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        env |= {"PATH": f"{folder}/.venv/bin:{env['PATH']}", "COLUMNS": "120", "HOME": str(folder.parent)}
        self._shell = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1,
        )  # fmt: skip

    def type(self, command: str) -> tuple[str, int]:
        """What the command said, and its exit code."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        mark = secrets.token_hex(8)
        self._shell.stdin.write(f"{command}\ncode=$?; printf '\\n{mark} %s\\n' $code; (exit $code)\n")
        said = []
        for line in self._shell.stdout:
            if line.startswith(mark):
                return "".join(said), int(line.split()[1])
            said.append(line)
        raise AssertionError(f"the shell ended: {''.join(said)}")

    def take(self, step: Command | File) -> None:
        """Do what the page says, and see that what it shows is so."""
        if isinstance(step, File):
            self._write(step)
            return
        said, code = self.type(step.text)
        assert bool(code) == step.fails, f"$ {step.text}\nexit code {code}\n{said}"
        compare(step, said)

    def _write(self, file: File) -> None:
        path = self._folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.read_text()}\n\n{file.text}" if file.at_end else file.text)

    def close(self) -> None:
        self.type(
            "kill $(jobs -p) 2>/dev/null; wait; cd; mage-project local down --force --project " + str(self._folder)
        )
        self._shell.communicate("exit\n")


def compare(step: Command, said: str) -> None:
    """The lines that the page shows were said, in this order. Raises AssertionError with the first that was not."""
    lines = iter([stable(line) for line in said.splitlines()])
    for shown in step.shown:
        if shown.strip() and shown != "...":
            assert stable(shown) in lines, f"$ {step.text}\nthe page shows:\n{shown}\nit said:\n{said}"


def stable(line: str) -> str:
    for pattern, replacement in _VARYING:
        line = pattern.sub(replacement, line)
    return line.strip()

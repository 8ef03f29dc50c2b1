"""The command that runs a pipeline again, for the one whose run has failed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from mage_project.project import Project

#: Names of variables whose values nobody should read over a shoulder, or in the log of a machine.
_SECRET = re.compile(r"passw|secret|token|credential|(^|_)(key|pwd)($|_)", re.IGNORECASE)
#: The password in an address, such as postgresql://user:password@host.
_PASSWORD = re.compile(r"(\w://[^:/@\s]*):[^@/\s]+@")


def run_again(project: Project, pipeline: str, assignments: Sequence[str], *, local: bool) -> str:
    """The command as it was typed, quoted for a shell, with `***` in the place of secrets."""
    words = ["mage-project", "run", pipeline]
    if project.root != Path.cwd().resolve():
        words += ["--project", str(project.root)]
    if local:
        words.append("--local")
    for assignment in assignments:
        words += ["--var", _masked(assignment)]
    return shlex.join(words)


def _masked(assignment: str) -> str:
    name, equals, value = assignment.partition("=")
    shown = "***" if _SECRET.search(name) else _PASSWORD.sub(r"\1:***@", value)
    return f"{name}{equals}{shown}"

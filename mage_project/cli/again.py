"""The command that runs a pipeline again, for the one whose run has failed."""

from __future__ import annotations

from collections.abc import Sequence

from mage_project import masking
from mage_project.project import Project
from mage_project.project.command import command


def run_again(
    project: Project, pipeline: str, assignments: Sequence[str], *, local: bool, some: Sequence[str] = ()
) -> str:
    """The command as it was typed, quoted for a shell, with `***` for secrets. `some`: what chooses blocks."""
    given = [word for assignment in assignments for word in ("--var", _masked(assignment))]
    return command(project.root, "run", pipeline, *some, *(["--local"] if local else []), *given)


def _masked(assignment: str) -> str:
    name, equals, value = assignment.partition("=")
    return f"{name}{equals}{masking.STARS if masking.is_private(name) else masking.masked(value)}"

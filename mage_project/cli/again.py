"""The command that does the same again, for the one whose run, or backfill, has failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mage_project import masking
from mage_project.project import Project
from mage_project.project.command import command

if TYPE_CHECKING:
    from mage_project.schedule.requests import Request


def run_again(
    project: Project, pipeline: str, assignments: Sequence[str], *, local: bool, some: Sequence[str] = ()
) -> str:
    """The command as it was typed, quoted for a shell, with `***` for secrets. `some`: what chooses blocks."""
    given = [word for assignment in assignments for word in ("--var", masked_assignment(assignment))]
    return command(project.root, "run", pipeline, *some, *(["--local"] if local else []), *given)


def backfill_again(
    project: Project,
    pipeline: str,
    request: Request,
    assignments: Sequence[str],
    options: Sequence[str],
    *,
    goes_on: bool,
) -> str:
    """The command that goes on with what a backfill has not completed, with `***` for secrets.

    `goes_on`: whether it was interrupted, and the same wish means the rest of it. Else `--reprocess all` would begin
    with everything again.
    """
    given = [word for assignment in assignments for word in ("--var", masked_assignment(assignment))]
    wish = request.reprocess if goes_on or request.reprocess == "failed" else "missing"
    words = ["--start", request.start, *(["--end", request.end] if request.end else [])]
    words += ["--interval", request.interval] if request.interval else []
    words += [] if wish == "missing" else ["--reprocess", wish]
    words += ["--reverse"] if request.reverse else []
    return command(project.root, "backfill", pipeline, *words, *given, *options)


def masked_assignment(assignment: str) -> str:
    """`NAME=VALUE`, with `***` where the value is secret."""
    name, equals, value = assignment.partition("=")
    return f"{name}{equals}{masking.STARS if masking.is_private(name) else masking.masked(value)}"

"""Options that several commands have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from mage_project.errors import MageProjectError
from mage_project.project import Project


def project_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--project PATH`, handed over as a `Project`."""

    @click.option("--project", "path", default=".", metavar="PATH", help="The Mage project [default: this folder].")
    @functools.wraps(command)
    def with_project(*args: Any, path: str, **kwargs: Any) -> Any:
        project = Project(path)
        try:
            return command(*args, project=project, **kwargs)
        except MageProjectError as error:
            raise error.within(project.root)  # noqa: B904 - the same error

    return with_project

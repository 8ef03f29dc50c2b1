"""Options that several commands have."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from mage_project.errors import MageProjectError
from mage_project.project import Project
from mage_project.project.checking import MOST_AT_ONCE, MOST_SECONDS

if TYPE_CHECKING:
    from mage_project.runner.profiling import Profiling


class Memory(click.ParamType[int]):
    """An amount of memory in bytes: `1GB`, `800 MB`, `1.5GiB`."""

    name = "memory"
    _UNITS: ClassVar = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([\d.]+) ?([KMGT]i?)B?", value.strip(), re.IGNORECASE)
        try:
            size = float(found[1]) * self._UNITS[f"{found[2].upper()}B"] if found else 0.0
        except (ValueError, KeyError):
            size = 0.0
        if not LEAST_MEMORY <= size <= _MOST_MEMORY:
            what = f"{value!r} is no amount of memory of 200MB or more, 1,000TB at the most"
            self.fail(f"{what}: write 1GB, 800MB or 1.5GiB", param, ctx)
        return int(size)


#: What Python and its libraries take by themselves.
LEAST_MEMORY = 200_000_000
#: More than any machine has, and less than a kernel can count.
_MOST_MEMORY = 10**15
MEMORY = Memory()


class Number(click.FloatRange):
    """A number in a range; `nan`, which is in every one for click, is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is no number", param, ctx) if number != number else number


AT_ONCE = click.IntRange(1, MOST_AT_ONCE)
#: Of data, or of runs.
ROWS = click.IntRange(1, 10**12)
SECONDS = Number(0, MOST_SECONDS, min_open=True)


class Profile(click.ParamType["Profiling"]):
    """Where the flame graph of a run goes: a file that a browser opens, or nothing."""

    name = "profile"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Profiling:
        from mage_project.runner.profiling import Profiling

        if not isinstance(value, str):
            return Profiling(file=value.file)
        file = Path(value).resolve() if value else None
        if file and file.suffix != ".svg":
            self.fail(f"{value!r} does not end in .svg (a pipeline is named before --profile)", param, ctx)
        if file and (file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK)):
            self.fail(f"{value!r} cannot be written", param, ctx)
        return Profiling(file=file)


PROFILE = Profile()


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

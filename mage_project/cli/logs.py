"""`mage-project runs logs`: what a run and its blocks have said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from mage_project.cli.options import project_option
from mage_project.history.logs import LEVELS, Line, find, follow, lines
from mage_project.project import Project


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--follow", "-f", "follows", is_flag=True, help="Go on with what comes, until the run ends.")
@click.option("--block", metavar="BLOCK", help="Only what this block said.")
@click.option(
    "--level", type=click.Choice(LEVELS), default="debug", show_default=True, help="Only this, or more serious."
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON lines as they are kept.")
@project_option
def logs(project: Project, run_id: str, follows: bool, block: str | None, level: str, as_json: bool) -> None:
    """Show what a run and its blocks said: prints, log lines, warnings, errors.

    RUN is its name, or the beginning of it.
    """
    path = find(project.root, run_id)
    every = follow(path, _lives(project, path)) if follows else lines(path)
    for line in _chosen(every, block, level):
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else _text(line))


def _lives(project: Project, path: Path) -> Callable[[], bool]:
    """Asks the history whether the run of this log still goes on."""
    from mage_project.cli.runs import store_of_project
    from mage_project.history.runs import details

    return lambda: details(store_of_project(project), path.stem).run.is_running


def _chosen(every: Iterable[Line], block: str | None, level: str) -> Iterator[Line]:
    serious = LEVELS[LEVELS.index(level) :]
    for line in every:
        # A dynamic child's runs are named block:item.
        is_of_block = block is None or (line["block"] or "").split(":")[0] == block
        if is_of_block and line["level"] in serious:
            yield line


def _text(line: Line) -> str:
    level = "" if line["level"] in ("debug", "info") else f"{line['level']}: "
    block = f"{line['block']}: " if line["block"] else ""
    return f"{line['time'][:23].replace('T', ' ')}  {block}{level}{line['text']}"

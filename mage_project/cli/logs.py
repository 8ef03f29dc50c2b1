"""`mage-project runs logs`: what a run and its blocks have said."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import click

from mage_project.characters import visible
from mage_project.cli.options import project_option
from mage_project.errors import HistoryUnavailable, UsageError, did_you_mean
from mage_project.history.logs import ENDED, LEVELS, Line, find, follow, lines
from mage_project.project import Project

#: So many blocks are named to someone who asks for one that is not there: dynamic children may be thousands.
_NAMED = 20


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
    if block is not None:
        _check_block(project, path, block, follows=follows)
    every = _followed(project, path) if follows else lines(path)
    for line in _chosen(every, block, level):
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else _text(line))


def _followed(project: Project, path: Path) -> Iterator[Line]:
    """The lines as they come. Of a run that is gone without a last one it is said how it ended."""
    says_its_end = False
    for line in follow(path, _lives(project, path)):
        says_its_end = says_its_end or ENDED in line
        yield line
    if not says_its_end:
        from mage_project.cli.runs import store_of_project
        from mage_project.history.crashes import WHY
        from mage_project.history.runs import details

        run = details(store_of_project(project), path.stem).run
        why = f": {visible((run.error or WHY).splitlines()[0])}" if run.status != "completed" else ""
        click.echo(f"run {run.run_id} {'has ' if run.status == 'crashed' else ''}{run.status}{why}", err=True)


def _lives(project: Project, path: Path) -> Callable[[], bool]:
    """Asks the history whether the run of this log still goes on."""
    from mage_project.cli.runs import store_of_project
    from mage_project.history.runs import details

    return lambda: details(store_of_project(project), path.stem).run.is_running


def _chosen(every: Iterable[Line], block: str | None, level: str) -> Iterator[Line]:
    serious = LEVELS[LEVELS.index(level) :]
    for line in every:
        if (block is None or _is_of(line, block)) and line["level"] in serious:
            yield line


def _is_of(line: Line, block: str) -> bool:
    """Whether the block said it, or one of its runs: those of a dynamic child are named block:item."""
    return f"{line['block'] or ''}:".startswith(f"{block}:")


def _check_block(project: Project, path: Path, block: str, *, follows: bool) -> None:
    """`UsageError` for a block that the run has not. One that it has need not have begun."""
    known = _blocks(project, path.stem)
    if block in known or (follows and block.partition(":")[0] in known):
        return
    said = [line["block"] for line in lines(path) if line["block"]]
    names = list(dict.fromkeys([*known, *said]))
    if block not in names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        hint = f"blocks of it: {', '.join(names[:_NAMED]) or 'none has begun'}{more}"
        raise UsageError(f"run {path.stem} has no block '{block}'.{did_you_mean(block, names)}", hint=hint)


def _blocks(project: Project, run_id: str) -> Collection[str]:
    """The blocks with code, as the history knows them from the run's beginning; none where it cannot be asked."""
    from mage_project.cli.runs import store_of_project
    from mage_project.history.runs import named

    with suppress(UsageError, HistoryUnavailable):
        run = named(store_of_project(project), run_id)
        return run.code if run else ()
    return ()


def _text(line: Line) -> str:
    level = "" if line["level"] in ("debug", "info") else f"{line['level']}: "
    block = f"{line['block']}: " if line["block"] else ""
    return f"{line['time'][:23].replace('T', ' ')}  {block}{level}{line['text']}"

"""`mage-project runs`: what the history says."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mage_project.cli.auditing import diff, receipt, verify
from mage_project.cli.logs import logs
from mage_project.cli.options import project_option
from mage_project.errors import UsageError
from mage_project.project import Project

if TYPE_CHECKING:
    from mage_project.history.runs import RunDetails, StoredRun
    from mage_project.history.stores import Store

MARKS = {"completed": "✓", "failed": "✗", "crashed": "✗", "running": "…", "not_published": "·", "sampled": "✓"}


@click.group()
def runs() -> None:
    """What ran, when, and with what result."""


for command in (diff, logs, receipt, verify):
    runs.add_command(command)


@runs.command(name="list")
@click.option("--pipeline", "-p", help="Only the runs of this pipeline.")
@click.option("--backfill", "backfill_id", metavar="ID", help="Only the runs of this backfill.")
@click.option("--status", "words", multiple=True, metavar="STATUS",
              help="Only runs that are failed, crashed, running... May be repeated, or a list.")  # fmt: skip
@click.option("--since", metavar="DATE", help="Only runs that began then or later, in UTC: 2026-11, 2026-11-30...")
@click.option("--until", metavar="DATE", help="Only runs that began then or before.")
@click.option(
    "--limit", "-n", default=20, show_default=True, type=click.IntRange(1, 1_000_000), help="How many at the most."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@project_option
def list_runs(
    project: Project,
    pipeline: str | None,
    backfill_id: str | None,
    words: Sequence[str],
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the last runs, newest first."""
    from mage_project.history.runs import newest

    store = store_of_project(project)
    found = newest(
        store,
        pipeline=pipeline,
        backfill_id=backfill_id,
        statuses=_statuses(words),
        since=None if since is None else _moments(since, "--since")[0],
        until=None if until is None else _moments(until, "--until")[1],
        limit=limit,
    )
    if as_json:
        click.echo(json.dumps([as_dict(run) for run in found], ensure_ascii=False))
    else:
        click.echo(_table(found) if found else "no runs")
    _notice(project, store, found)


@runs.command()
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@project_option
def show(project: Project, run_id: str, as_json: bool) -> None:
    """Show one run: its blocks, variables, code and error.

    RUN is its name, or the beginning of it.
    """
    from mage_project.history.runs import details

    store = store_of_project(project)
    found = details(store, run_id)
    _print(project, found, as_json=as_json)
    _notice(project, store, [found.run])


def _print(project: Project, found: RunDetails, *, as_json: bool) -> None:
    if as_json:
        rest = {name: value for name, value in asdict(found).items() if name not in ("run", "children")}
        rest["children"] = [as_dict(child) for child in found.children]
        click.echo(json.dumps({**as_dict(found.run), **rest}, ensure_ascii=False))
        return
    from mage_project.cli.run_details import shown

    click.echo(shown(found))
    if again := _next(project, found.run):
        click.echo(f"  next:  {again}")


def _statuses(words: Sequence[str]) -> list[str]:
    from mage_project.errors import did_you_mean
    from mage_project.history.runs import STATUSES

    found = [status.strip() for word in words for status in word.split(",")]
    for status in found:
        if status not in STATUSES:
            hint = f"one of {', '.join(STATUSES)}"
            raise UsageError(f"there is no status '{status}'.{did_you_mean(status, STATUSES)}", hint=hint)
    return found


def _moments(text: str, option: str) -> tuple[float, float]:
    """The beginning and the end of a period, in seconds since 1970."""
    from mage_project.schedule.intervals import period

    begin, end, _ = period(text, option)
    return begin.replace(tzinfo=UTC).timestamp(), end.replace(tzinfo=UTC).timestamp()


def _notice(project: Project, store: Store, found: Sequence[StoredRun]) -> None:
    """Tell of runs and backfills that crashed, if nobody has yet."""
    from mage_project.history import backfills

    if any(run.status == "crashed" and run.ended_at is None for run in found) or backfills.some_are_open(store):
        from mage_project.cli.crashes import notice

        notice(project, store)


def _next(project: Project, run: StoredRun) -> str | None:
    """The command that goes on with a run that failed or crashed, as long as what it needs is kept."""
    if run.status not in ("crashed", "failed"):
        return None
    from mage_project.runner import beginnings, failures, resumptions

    try:
        resumptions.check(project.root, run.run_id)
    except UsageError as error:  # another one goes on with it, or has done so
        return error.hint
    of_run = failures.resuming if run.status == "failed" else beginnings.resuming
    return of_run(project.root, run.run_id)


def store_of_project(project: Project) -> Store:
    """The history of the project; `UsageError` where it is switched off."""
    from mage_project.history.stores import VARIABLE, store_of

    store = store_of(project.root, functools.partial(click.echo, err=True))
    if store is None:
        raise UsageError(f"there is no history: {VARIABLE}=off", hint=f"unset {VARIABLE}")
    return store


def as_dict(run: StoredRun) -> dict[str, Any]:
    """A run for `--json`: moments in ISO's format, UTC."""
    return {**asdict(run), "started_at": moment(run.started_at), "ended_at": moment(run.ended_at)}


def moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def short_date(text: str) -> str:
    """An execution date without a time that says nothing."""
    return text.removesuffix("T00:00:00").split(".")[0].replace("T", " ")


def _trigger(run: StoredRun) -> str:
    return f"{run.trigger or ''} of {run.parent_run_id}".strip() if run.parent_run_id else run.trigger or ""


def _table(found: list[StoredRun]) -> str:
    from mage_project.cli.tables import aligned, count

    lines = [
        (
            f"{MARKS.get(run.status, '·')} {run.run_id}",
            *(run.pipeline, run.status, short_date(run.execution_date), _trigger(run)),
            "" if run.seconds is None else f"{run.seconds:.2f} s",
            count(run.rows),
        )
        for run in found
    ]
    header = ("  run", "pipeline", "status", "execution date", "trigger", "time", "rows")
    return aligned(header, lines, right=(5, 6))

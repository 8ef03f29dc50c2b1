"""`mage-project runs`: what the history says."""

from __future__ import annotations

import functools
import json
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

MARKS = {"completed": "✓", "failed": "✗", "crashed": "✗", "running": "…", "not_published": "·"}


@click.group()
def runs() -> None:
    """What ran, when, and with what result."""


for command in (diff, logs, receipt, verify):
    runs.add_command(command)


@runs.command(name="list")
@click.option("--pipeline", "-p", help="Only the runs of this pipeline.")
@click.option("--backfill", "backfill_id", metavar="ID", help="Only the runs of this backfill.")
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(1), help="How many at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@project_option
def list_runs(project: Project, pipeline: str | None, backfill_id: str | None, limit: int, as_json: bool) -> None:
    """List the last runs, newest first."""
    from mage_project.history.runs import newest

    found = newest(store_of_project(project), pipeline=pipeline, backfill_id=backfill_id, limit=limit)
    if as_json:
        click.echo(json.dumps([as_dict(run) for run in found], ensure_ascii=False))
        return
    click.echo(_table(found) if found else "no runs")


@runs.command()
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@project_option
def show(project: Project, run_id: str, as_json: bool) -> None:
    """Show one run: its blocks, variables, code and error.

    RUN is its name, or the beginning of it.
    """
    from mage_project.history.runs import details

    found = details(store_of_project(project), run_id)
    if as_json:
        rest = {name: value for name, value in asdict(found).items() if name not in ("run", "children")}
        rest["children"] = [as_dict(child) for child in found.children]
        click.echo(json.dumps({**as_dict(found.run), **rest}, ensure_ascii=False))
        return
    click.echo(_shown(found))


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


def _shown(found: RunDetails) -> str:
    from mage_project.cli.tables import aligned, count

    run = found.run
    commit = found.git_commit and f"{found.git_commit[:12]}{' and changes' if found.git_dirty else ''}"
    facts = [
        ("pipeline", run.pipeline),
        ("status", run.status if run.exit_code in (None, 0) else f"{run.status} (exit code {run.exit_code})"),
        ("execution date", short_date(run.execution_date)),
        ("trigger", run.trigger),
        ("started by run", run.parent_run_id),
        ("backfill", run.backfill_id),
        ("started", f"{moment(run.started_at)} by {found.started_by or 'somebody'} on {found.host}"),
        ("ended", moment(run.ended_at)),
        ("time", None if run.seconds is None else f"{run.seconds:.2f} s"),
        ("peak memory", run.peak_rss_bytes and f"{run.peak_rss_bytes / 1e6:,.0f} MB"),
        ("commit", commit),
        *(("variable", f"{name}={value}") for name, value in sorted(found.variables.items())),
        *(("warning", line) for line in found.warnings),
        *(("started run", f"{child.run_id} of {child.pipeline}, {child.status}") for child in found.children),
    ]
    parts = [f"{MARKS.get(run.status, '·')} {run.run_id}"]
    parts.append("\n".join(f"  {name:<15} {value}" for name, value in facts if value is not None))
    lines = [
        (f"  {block['uuid']}", block["status"], count(block["rows_in"]), count(block["rows_out"]),
         f"{block['seconds']:.2f} s", run.code.get(block["uuid"], ""))
        for block in found.blocks
    ]  # fmt: skip
    if lines:
        parts.append(aligned(("  block", "status", "rows in", "rows out", "time", "code"), lines, right=(2, 3, 4)))
    return "\n\n".join([*parts, *([run.error] if run.error else [])])

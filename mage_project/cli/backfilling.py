"""`mage-project backfill`: a plan, a display of its progress, a receipt."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mage_project.cli.options import AT_ONCE, project_option
from mage_project.errors import HistoryUnavailable, UsageError
from mage_project.project import Project

if TYPE_CHECKING:
    from mage_project.project import Pipeline
    from mage_project.schedule.receipts import Receipt
    from mage_project.schedule.requests import Prepared, Request


@click.command()
@click.argument("pipeline")
@click.option(
    "--start", required=True, metavar="DATE", help="The first interval: 2019-01, 2019-01-31, 2019-01-31T05:00."
)
@click.option("--end", metavar="DATE", help="The last interval, itself included [default: now].")
@click.option("--interval", metavar="LENGTH", help="month, day, hour, 6 hours..., or a cron expression. [default: the "
              "schedule of the pipeline's trigger, else what fits --start]")  # fmt: skip
@click.option(
    "--var", "assignments", multiple=True, metavar="NAME=VALUE", help="Set a variable; VALUE is YAML. May be repeated."
)
@click.option("--reprocess", type=click.Choice(["missing", "failed", "all"]), default="missing", show_default=True,
              help="Run what was not completed, only what failed or crashed, or everything again.")  # fmt: skip
@click.option("--jobs", "-j", default=1, show_default=True, type=AT_ONCE, help="How many runs at once.")
@click.option("--reverse", is_flag=True, help="Begin with the last interval.")
@click.option("--fail-fast", is_flag=True, help="Start no more runs when one has failed.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and run nothing.")
@click.option("--local", is_flag=True, help="Use the local stack, whatever io_config.yaml names.")
@click.option("--alert", is_flag=True, help="Send one alert about the whole, as a trigger's run would.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@project_option
def backfill(
    project: Project,
    pipeline: str,
    start: str,
    end: str | None,
    interval: str | None,
    assignments: Sequence[str],
    reprocess: Any,
    jobs: int,
    reverse: bool,
    fail_fast: bool,
    dry_run: bool,
    local: bool,
    alert: bool,
    as_json: bool,
) -> None:
    """Run PIPELINE once for each interval from --start to --end.

    Each run gets the interval's start as its execution_date. What the history knows as completed is passed over, and an
    interval that has not ended yet, or whose data is not published, is no failure.

    Exit code 0: nothing failed, 1: a run failed, 2: wrong usage or configuration, 128 + n: ended by signal n.
    """
    from mage_project.cli.again import backfill_again
    from mage_project.cli.backfill_reporters import receipt_table
    from mage_project.cli.runs import store_of_project
    from mage_project.runner.variables import parse_assignments
    from mage_project.schedule.requests import Request, prepare

    found, store = project.pipeline(pipeline), store_of_project(project)
    request = Request(start=start, end=end, interval=interval, reprocess=reprocess, reverse=reverse)
    now = datetime.now(UTC).replace(tzinfo=None)
    variables = parse_assignments(assignments)
    prepared = prepare(found, request, variables, store, now)
    if not as_json:
        _show_plan(found, prepared)
    if dry_run:
        if as_json:
            click.echo(json.dumps(_plan_as_dict(found, prepared), ensure_ascii=False))
        return
    of_all = ["--local"] if local else []
    options = [*of_all, *(["--jobs", str(jobs)] if jobs > 1 else []), *(["--alert"] if alert else [])]
    how_again = functools.partial(backfill_again, project, pipeline, request, assignments, options)
    receipt = _run(
        found,
        prepared,
        request,
        of_all,
        variables,
        after_a_crash=how_again(goes_on=True) if alert else None,
        jobs=jobs,
        fail_fast=fail_fast,
        local=local,
        as_json=as_json,
    )
    again = how_again(goes_on=receipt.signum is not None)
    click.echo(json.dumps(receipt.as_dict(), ensure_ascii=False) if as_json else receipt_table(receipt, again))
    if alert:
        _alert(project, receipt, again)
    sys.exit(receipt.exit_code)


def _alert(project: Project, receipt: Receipt, again: str) -> None:
    from mage_project.schedule.backfill_alerts import tell

    for line in tell(project.root, receipt, again):
        click.echo(line, err=True)


def _run(
    pipeline: Pipeline,
    prepared: Prepared,
    request: Request,
    words: Sequence[str],
    variables: Mapping[str, Any],
    *,
    after_a_crash: str | None,
    jobs: int,
    fail_fast: bool,
    local: bool,
    as_json: bool,
) -> Receipt:
    from contextlib import nullcontext
    from dataclasses import asdict

    from mage_project.cli.backfill_reporters import reporter_for
    from mage_project.cli.runs import store_of_project
    from mage_project.history import backfills, private
    from mage_project.history.starters import own_environment
    from mage_project.runner import services
    from mage_project.schedule.backfill import Backfill
    from mage_project.schedule.children import Command

    store, backfill_id = store_of_project(Project(pipeline.root)), prepared.backfill_id
    logs = pipeline.root / ".mage_project" / "backfills" / backfill_id
    try:
        private.folder(logs)
    except OSError as error:
        raise UsageError(
            f"the folder for the runs' logs cannot be made: {error.strerror}",
            where=str(logs),
            hint="a backfill keeps there what its runs say: make room, or have the folder writable",
        ) from error
    command = Command(
        pipeline=pipeline.uuid,
        root=pipeline.root,
        words=words,
        variables=variables,
        environment=own_environment(),
        backfill_id=backfill_id,
        logs=logs,
    )
    busy = any(planned.action == "run" for planned in prepared.plan)
    servers = services.kept_up(pipeline, local=local) if busy else nullcontext()
    with reporter_for(as_json=as_json) as reporter, servers:
        backfills.begin(store, backfill_id, pipeline.uuid, asdict(request), prepared.request_key, again=after_a_crash)
        work = Backfill(prepared.plan, command, store, prepared.variables_key, reporter, jobs=jobs)
        receipt = work.execute(fail_fast=fail_fast)
    try:
        backfills.end(store, backfill_id, receipt.status, receipt.as_dict())
    except HistoryUnavailable as error:
        click.echo(f"warning: the receipt is not in the history: {error}", err=True)
    return receipt


def _plan_as_dict(pipeline: Pipeline, prepared: Prepared) -> dict[str, Any]:
    return {
        "pipeline": pipeline.uuid,
        "backfill_id": prepared.backfill_id,
        "interval": prepared.interval,
        "resumed": prepared.resumed,
        "plan": [planned.as_dict() for planned in prepared.plan],
    }


def _show_plan(pipeline: Pipeline, prepared: Prepared) -> None:
    """The plan: neighbours of which the same is to be said share a line."""
    from mage_project.cli.tables import aligned

    goes_on = ", goes on" if prepared.resumed else ""
    click.echo(f"backfill {prepared.backfill_id} of {pipeline.uuid}{goes_on}")
    click.echo(f"  every {prepared.interval} ({prepared.source})")
    groups: list[tuple[list[str], str, str]] = []
    for planned in prepared.plan:
        name, action = planned.interval.name, planned.action.replace("_", " ")
        if groups and groups[-1][1:] == (action, planned.why):
            groups[-1][0].append(name)
        else:
            groups.append(([name], action, planned.why))
    lines = [(_span(names), str(len(names)), action, why) for names, action, why in groups]
    click.echo(f"\n{aligned(('interval', '', 'plan', 'why'), lines, right=(1,))}\n")


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"

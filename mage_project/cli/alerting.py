"""`mage-project alerts`: whom runs tell of what, and whether it reaches them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from mage_project.alerts.channels import EVENTS
from mage_project.cli.options import project_option
from mage_project.errors import UsageError, did_you_mean
from mage_project.project import Project
from mage_project.project.command import command


@click.group()
def alerts() -> None:
    """Whom the runs of triggers tell of what: notification_config, as Mage has it, and more."""


@alerts.command(name="list")
@click.argument("pipeline", required=False)
@project_option
def list_alerts(project: Project, pipeline: str | None) -> None:
    """List the channels of PIPELINE, or of the project, and what is wrong with them."""
    from mage_project.alerts.addresses import why_refused
    from mage_project.alerts.settings import read_alerts
    from mage_project.cli.tables import aligned

    found, problems = read_alerts(project.root, _known(project, pipeline), why_refused=why_refused)
    lines = [
        *((channel.name, "on", ", ".join(found.on)) for channel in found.channels),
        *((name, "off", why) for name, why in found.unset.items()),
    ]
    click.echo(aligned(("channel", "", "of"), lines) if lines else "no alerts are configured")
    for problem in problems:
        kind = "error" if problem.fails_a_check else "warning"
        click.echo(f"{kind}: {problem.message}\n  where: {problem.place(project.root)}", err=True)
        if problem.hint:
            click.echo(f"  next:  {problem.hint}", err=True)
    if any(problem.fails_a_check for problem in problems):
        sys.exit(2)


@alerts.command()
@click.argument("pipeline", required=False)
@click.option("--event", type=click.Choice([*EVENTS.values()]), default="failure", show_default=True,
              help="As what it is sent.")  # fmt: skip
@project_option
def test(project: Project, pipeline: str | None, event: str) -> None:
    """Send a test message to every channel of PIPELINE, or of the project.

    Exit code 0: all have taken it, 1: one has not, 2: none is configured.
    """
    from mage_project.alerts.sending import send
    from mage_project.alerts.settings import read_alerts
    from mage_project.alerts.words import Occasion

    uuid = _known(project, pipeline)
    found, problems = read_alerts(project.root, uuid)
    for problem in problems:
        click.echo(f"warning: {problem.message} ({problem.place(project.root)})", err=True)
    for name, why in found.unset.items():
        click.echo(f"  {name} is off: {why}")
    if not found.channels:
        hint = "write notification_config into metadata.yaml, and set its variables"
        raise UsageError("no channel is configured", where=str(project.root), hint=hint)
    occasion = Occasion(
        event=event,
        pipeline=uuid or project.root.name,
        status="is only a test",
        run_id="test",
        trigger="test",
        execution_time=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        error="this is a test of the alerts: nothing has happened",
        resume=command(project.root, "alerts", "test"),
    )
    outcomes = send(found, occasion)
    for outcome in outcomes:
        mark = "✓" if outcome.why is None else "✗"
        click.echo(f"{mark} {outcome.channel}{'' if outcome.why is None else f': {outcome.why}'}")
    sys.exit(1 if any(outcome.why for outcome in outcomes) else 0)


def _known(project: Project, pipeline: str | None) -> str | None:
    if pipeline is not None and pipeline not in project.uuids:
        raise UsageError(
            f"there is no pipeline '{pipeline}'.{did_you_mean(pipeline, project.uuids)}",
            where=str(project.root / "pipelines"),
            hint=f"pipelines here: {', '.join(project.uuids) or 'none'}",
        )
    return pipeline

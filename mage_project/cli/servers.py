"""`mage-project local`: the servers of the local stack."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from mage_project.cli.options import project_option
from mage_project.errors import UsageError
from mage_project.project import Project


@click.group()
def local() -> None:
    """The local stack: a real Postgres, a GCS server and a BigQuery, without Docker."""


@local.command()
@project_option
def up(project: Project) -> None:
    """Start the servers; they stay until `local down`."""
    from mage_project.local import LocalStack

    LocalStack(project.root).up(detached=True)
    _show_status(project)


@local.command()
@click.option("--force", is_flag=True, help="Stop them under a run that uses them.")
@project_option
def down(project: Project, force: bool) -> None:
    """Stop the servers. Their data stays."""
    from mage_project.local import LocalStack

    stack = LocalStack(project.root)
    stopped = stack.down(force=force)
    click.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was stopped")
    left = [service.name for service in stack.status() if service.running]
    if left:
        raise UsageError(f"in use by a run: {', '.join(left)}", hint="wait for the run to end, or add --force")


@local.command()
@project_option
def status(project: Project) -> None:
    """Say which servers run, and where."""
    _show_status(project)


@local.command()
@project_option
def env(project: Project) -> None:
    """Print what other programs need to reach the servers.

    In a shell: eval "$(mage-project local env)"
    """
    import shlex

    from mage_project.local import LocalStack

    for name, value in LocalStack(project.root).env().items():
        click.echo(f"export {name}={shlex.quote(value)}")


@local.command(name="psql", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@project_option
def run_psql(project: Project, words: Sequence[str]) -> None:
    """Open psql on the local Postgres.

    ARGS are psql's, for example -c 'SELECT 1'. The server is started for it if it does not run.
    """
    from mage_project.cli.psql import psql

    sys.exit(psql(project.root, words))


def _show_status(project: Project) -> None:
    from mage_project.cli.tables import aligned
    from mage_project.local import LocalStack

    lines = [
        (service.name, "running" if service.running else "stopped", service.url or "", service.detail or "")
        for service in LocalStack(project.root).status()
    ]
    click.echo(aligned(("service", "", "where", ""), lines))

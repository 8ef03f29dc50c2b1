"""`mage-project metrics`: the history's figures for Prometheus."""

from __future__ import annotations

from pathlib import Path

import click

from mage_project.cli.options import project_option
from mage_project.project import Project


@click.command()
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write to FILE, in one step, instead of printing.")  # fmt: skip
@project_option
def metrics(project: Project, output: Path | None) -> None:
    """Print how many runs ended how, and what the last one of each pipeline was like, in Prometheus' text format."""
    from mage_project.cli.runs import store_of_project
    from mage_project.history.metrics import as_text, write

    store = store_of_project(project)
    if output is None:
        click.echo(as_text(store), nl=False)
        return
    try:
        write(store, output)
    except OSError as error:
        raise click.BadParameter(f"'{output}' cannot be written: {error.strerror}", param_hint="--output") from error

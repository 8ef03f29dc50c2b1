"""Takes notice of runs that crashed together with their commands, where no scheduler is there to do so."""

from __future__ import annotations

import click

from mage_project.errors import HistoryUnavailable
from mage_project.history.stores import Store
from mage_project.project import Project


def notice(project: Project, store: Store) -> None:
    """Write them down and tell of them, once, as far as this process can reach anybody; else they wait for another."""
    from mage_project.history import crashes, schedules
    from mage_project.runner.crashes import reaches_somebody, tell

    try:
        if schedules.leader(store) is not None:
            return
        for row in crashes.lost(store):
            if reaches_somebody(project.root, row) and (closed := crashes.close(store, row["run_id"])):
                for line in tell(project.root, closed, alerts=bool(closed["alerts"])):
                    click.echo(line, err=True)
    except HistoryUnavailable as error:  # one that can only be read
        click.echo(f"warning: nobody is told of runs that crashed: {error.what}", err=True)

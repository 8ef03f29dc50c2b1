"""`mage-project clean`: removes what runs have left and nobody needs any more."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from mage_project.cli.options import ROWS, Number, project_option
from mage_project.errors import HistoryUnavailable
from mage_project.project import Project

if TYPE_CHECKING:
    from mage_project.history.leftovers import Leftover
    from mage_project.history.stores import Store

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
#: How long things are kept where nothing else is said.
KEEP_DAYS = 30
#: Where the history cannot say which runs go on, what is newer than this may be of one.
_DAY_S = 86_400.0


def _bytes(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """A number of bytes: 1GB, 500 MB, 1.5gb."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)\s*([KMGT]?B)", value.strip().upper())
    if not found:
        raise click.BadParameter(f"'{value}' is no size: write 500MB or 1GB")
    return int(float(found[1]) * _UNITS[found[2]])


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option("--keep-days", type=Number(0, 36_500), metavar="N",
              help=f"Remove what is older [default: {KEEP_DAYS}, without another limit].")  # fmt: skip
@click.option("--keep-runs", type=ROWS, metavar="N", help="Remove what is not of the last N runs.")
@click.option("--max-size", callback=_bytes, metavar="SIZE", help="Remove the oldest where all is more: 500MB, 1GB.")
@click.option("--history", is_flag=True, help="Take the runs beyond these limits out of the history too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@project_option
def clean(
    project: Project,
    dry_run: bool,
    keep_days: float | None,
    keep_runs: int | None,
    max_size: int | None,
    history: bool,
    as_json: bool,
) -> None:
    """Remove old logs and profiles, failed rows, and kept inputs and outputs of runs.

    What a run that goes on has, stays. So do the receipts of all runs, and downloaded files and the local stack's data.

    Exit code 0: done, 1: something could not be removed.
    """
    from mage_project.history.forgetting import forget, old_runs
    from mage_project.history.leftovers import Limits, leftovers, remove, superfluous
    from mage_project.history.stores import store_of

    if keep_days is keep_runs is max_size is None:
        keep_days = KEEP_DAYS
    now, store = time.time(), store_of(project.root, lambda line: click.echo(line, err=True))
    every = leftovers(project.root)
    try:
        used = _used(store)
    except HistoryUnavailable as away:  # for want of room, perhaps, which this can make
        if history:
            raise
        click.echo(f"warning: {away.what} ({away.where}): what has changed within a day stays", err=True)
        used = {each.owner for each in every if abs(now - each.changed_at) < _DAY_S}
    limits = Limits(keep_days=keep_days, keep_runs=keep_runs, max_bytes=max_size)
    gone = list(superfluous(every, limits, now, used))
    before = None if keep_days is None else now - timedelta(days=keep_days).total_seconds()
    forgotten = old_runs(store, before=before, keep=keep_runs, used=used) if history and store else []
    trouble: list[OSError] = []
    if not dry_run:
        trouble = remove(each for each, _ in gone)
        if store:
            forget(store, forgotten)
    click.echo(_as_json(gone, forgotten) if as_json else _told(project, gone, forgotten, now, dry_run=dry_run))
    for error in trouble:
        click.echo(f"error: could not be removed: {error}", err=True)
    sys.exit(1 if trouble else 0)


def _used(store: Store | None) -> set[str]:
    """The runs that go on, and the backfills that they are of."""
    from mage_project.history.runs import going_on

    return {name for run in (going_on(store) if store else ()) for name in (run.run_id, run.backfill_id) if name}


def _as_json(gone: Sequence[tuple[Leftover, str]], forgotten: Sequence[str]) -> str:
    removed = [
        {"kind": each.kind, "path": str(each.path), "size_bytes": each.size_bytes, "why": why} for each, why in gone
    ]
    return json.dumps({"removed": removed, "forgotten_runs": forgotten}, ensure_ascii=False)


def _told(
    project: Project, gone: Sequence[tuple[Leftover, str]], forgotten: Sequence[str], now: float, *, dry_run: bool
) -> str:
    from mage_project.cli.tables import aligned

    base = project.root / ".mage_project"
    lines = [
        (each.kind, str(each.path.relative_to(base)), f"{(now - each.changed_at) / 86_400:.0f} days",
         f"{each.size_bytes / 1e6:,.1f} MB", why)
        for each, why in gone
    ]  # fmt: skip
    parts = [aligned(("what", "in .mage_project", "age", "size", "why"), lines, right=(2, 3))] if lines else []
    total = sum(each.size_bytes for each, _ in gone)
    would = "would be removed" if dry_run else "removed"
    verdict = f"{would}: {len(gone):,} of these, {total / 1e6:,.1f} MB" if gone else "nothing to remove"
    if forgotten:
        verdict += f"; runs taken out of the history: {len(forgotten):,}"
    return "\n\n".join([*parts, verdict])

"""Takes notice of runs that crashed together with their commands, and of backfills, where no scheduler does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from mage_project.errors import HistoryUnavailable
from mage_project.history.stores import Row, Store
from mage_project.project import Project

if TYPE_CHECKING:
    from mage_project.history.crashes import Silence


def notice(project: Project, store: Store) -> None:
    """Write them down and tell of them, once, as far as this process can reach anybody; else they wait for another."""
    from mage_project.history import schedules

    try:
        if schedules.leader(store) is None:
            _notice(project, store)
            _notice_backfills(project, store)
    except HistoryUnavailable as error:  # one that can only be read
        _say(f"warning: nobody is told of runs that crashed: {error.what}")


def _notice(project: Project, store: Store) -> None:
    """All side by side: channels that do not answer keep nobody waiting for one run after the other."""
    from mage_project.history import crashes
    from mage_project.runner.crashes import AT_ONCE, tell_side_by_side

    found = _lost(project, store)
    for row in filter(crashes.is_old, found):
        crashes.close(store, row)
    news = [row for row in found if not crashes.is_old(row)]
    closed = [crashes.close(store, row) for row in news[:AT_ONCE]]
    for line in tell_side_by_side(project.root, [row for row in closed if row]):
        _say(line)
    if len(news) > AT_ONCE:
        _say(f"nobody is told yet of {len(news) - AT_ONCE} more runs that crashed: mage-project runs list does that")


def _notice_backfills(project: Project, store: Store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from mage_project.history import backfills
    from mage_project.history.crashes import Silence
    from mage_project.history.leases import STALE_S
    from mage_project.runner.crashes import AT_ONCE
    from mage_project.schedule.backfill_alerts import reaches_somebody, tell_of_crash

    silence = Silence(store, of=backfills.OPEN, patience_s=STALE_S)
    found = _silent(silence, "backfill", lambda row: reaches_somebody(project.root, row["pipeline"]))
    closed = [row for row in (backfills.crash(store, row) for row in found[:AT_ONCE]) if row]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for lines in pool.map(lambda row: list(tell_of_crash(project.root, row)), closed):
            for line in lines:
                _say(line)


def _lost(project: Project, store: Store) -> Sequence[Row]:
    """Those of which there is somebody to tell, and old ones."""
    from mage_project.history.crashes import Silence, is_old
    from mage_project.history.leases import STALE_S
    from mage_project.runner.crashes import reaches_somebody

    silence = Silence(store, patience_s=STALE_S)
    return _silent(silence, "run", lambda row: is_old(row) or reaches_somebody(project.root, row))


def _silent(silence: Silence, what: str, matters: Callable[[Row], bool]) -> Sequence[Row]:
    """What is lost, and matters. What is on other machines is listened for."""
    from mage_project.history.leases import HEARTBEAT_S, STALE_S

    found = silence.lost()
    if any(matters(row) for row in silence.suspects):
        _say(f"a {what} on another machine gives no sign of life: listening for {STALE_S:g} s")
        until = time.monotonic() + STALE_S
        while silence.suspects and time.monotonic() < until:
            time.sleep(HEARTBEAT_S)
            found = silence.lost()
    return [row for row in found if matters(row)]


def _say(line: str) -> None:
    click.echo(line, err=True)

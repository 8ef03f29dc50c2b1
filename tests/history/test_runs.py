"""Which runs are found in the history."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mage_project.cli import cli
from mage_project.history.entries import COLUMNS, put
from mage_project.history.runs import newest
from mage_project.history.sqlite import SqliteStore
from mage_project.history.stores import Store

#: 2026-11-01, in seconds since 1970.
NOVEMBER = 1_793_491_200.0


def write(store: Store, **statuses: str) -> None:
    """A run for each, an hour after the one before; those that run do so on a machine that is gone."""
    for place, (run_id, status) in enumerate(statuses.items()):
        began = NOVEMBER + 3600 * place
        row = dict.fromkeys(COLUMNS) | {"run_id": run_id, "status": status, "started_at": began, "heartbeat_at": began}
        row |= dict.fromkeys(("pipeline", "execution_date", "variables_key", "host", "pid_started"), "x")
        put(store, row | {"variables": "{}", "code": "{}", "warnings": "[]", "pid": 1})
    with store.transaction(write=True) as transaction:
        transaction.run("UPDATE run SET heartbeat_at = 0")


@pytest.mark.parametrize(
    ("statuses", "found"),
    [((), "edcba"), (["failed"], "da"), (["crashed"], "eb"), (["failed", "completed"], "dca"), (["running"], "")],
)
def test_runs_are_found_by_how_they_stand(any_store: Store, statuses: list[str], found: str) -> None:
    write(any_store, a="failed", b="crashed", c="completed", d="failed", e="running")
    assert "".join(run.run_id for run in newest(any_store, statuses=statuses)) == found
    assert "".join(run.run_id for run in newest(any_store, statuses=statuses, limit=1)) == found[:1]
    since, until = NOVEMBER + 3600, NOVEMBER + 3 * 3600
    between = newest(any_store, statuses=statuses, since=since, until=until, pipeline="x")
    assert "".join(run.run_id for run in between) == "".join(name for name in found if name in "bc")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--status", "failed, crashed", "--since", "2026-11"), 0, "✗ a"),
        (("--status", "completed", "--until", "2026-10-31"), 0, "no runs"),
        (("--status", "faild"), 2, "there is no status 'faild'. Did you mean 'failed'?"),
        (("--since", "yesterday"), 2, "--since is not a date: 'yesterday'"),
    ],
)
def test_runs_list_takes_statuses_and_dates(store: SqliteStore, words: tuple[str, ...], code: int, said: str) -> None:
    write(store, a="failed", b="completed")
    ran = CliRunner().invoke(cli, ["runs", "list", "--project", str(store.path.parents[1]), *words])
    assert (ran.exit_code, said in ran.output) == (code, True), ran.output

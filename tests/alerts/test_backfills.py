"""A backfill tells once, about the whole, where it is asked to."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mage_project.cli.crashes import notice
from mage_project.cli.schedule_reporters import PlainWatcher
from mage_project.history import backfills
from mage_project.history.sqlite import SqliteStore
from mage_project.schedule.alerting import Alerted
from mage_project.schedule.crashes import Crashes
from tests.alerts.receivers import Receiver
from tests.alerts.test_crashes import SLOW, wait_for
from tests.alerts.test_runs import CODE, command, environment, project, texts

MONTHS = ("backfill", "p", "--start", "2020-01", "--end", "2020-02", "--alert", "--jobs", "2")


def test_a_backfill_tells_once_which_months_failed_and_how_to_go_on(tmp_path: Path, hooks: Receiver) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    words = ("--reprocess", "all", "--var", "broken=2020-02", "--var", "api_token=token-of-mine-1")
    assert command(tmp_path, *MONTHS, *words).returncode == 1
    [(title, text)] = texts(hooks)
    assert title == "backfill of p failed"
    for line in ("1 completed, 1 failed", "2020-02: failed: ValueError: no luck with ***", "2020-01 to 2020-02",
                 "next: mage-project backfill p --start 2020-01 --end 2020-02 --var broken=2020-02 --var "
                 "'api_token=***' --jobs 2 --alert", "mage-project runs list --backfill 2"):  # fmt: skip
        assert line in text
    assert "token-of-mine-1" not in text


def test_what_checks_warn_of_in_a_backfill_is_told_by_month(tmp_path: Path, hooks: Receiver) -> None:
    project(tmp_path, f"{hooks.url}/slack")
    assert command(tmp_path, *MONTHS).returncode == 0
    [(title, text)] = texts(hooks)
    assert title == "backfill of p completed with warnings of its checks"
    assert "2020-02: save: " in text


def killed(root: Path, *words: str) -> SqliteStore:
    """The history with a backfill in it that was killed in the middle of its first run, some time ago."""
    (root / "data_loaders/load.py").write_text(SLOW)
    line = [sys.executable, "-m", "mage_project", *words]
    with subprocess.Popen(line, cwd=root, env=environment(), stdout=subprocess.DEVNULL) as process:
        wait_for((root / "begun").is_file)
        process.kill()
    store = SqliteStore(root / ".mage_project/history.db", print)
    with store.transaction(write=True) as transaction:
        transaction.run("UPDATE backfill SET heartbeat_at = heartbeat_at - 60, started_at = started_at - 60")
    return store


def test_of_a_backfill_that_is_killed_whoever_notices_first_tells_and_the_same_command_goes_on(
    tmp_path: Path, hooks: Receiver
) -> None:
    found = project(tmp_path, f"{hooks.url}/slack")
    store = killed(tmp_path, *MONTHS, "--var", "api_token=token-of-mine-1")
    watcher = Alerted(PlainWatcher(), tmp_path)
    looks = [Crashes(store, watcher.crashed, watcher.backfill_crashed).look, lambda: notice(found, store)] * 2
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(look) for look in looks]:
            done.result()
    watcher.close()
    [(title, text)] = texts(hooks)
    assert title == "backfill of p crashed"
    for line in ("its process is gone (killed", "2020-01 to 2020-02", "next: mage-project backfill p --start 2020-01 "
                 "--end 2020-02 --var 'api_token=***' --jobs 2 --alert", "--backfill 2"):  # fmt: skip
        assert line in text
    (tmp_path / "data_loaders/load.py").write_text(CODE["load"].replace("\n        ", "\n"))
    plan = command(tmp_path, *MONTHS, "--var", "api_token=token-of-mine-1", "--dry-run", "--json")
    assert json.loads(plan.stdout)["resumed"] is True


def test_of_a_killed_backfill_only_who_was_to_hear_does_and_as_soon_as_it_is_known_where(
    tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = project(tmp_path, '{{ env_var("THE_HOOK") }}')
    store = SqliteStore(tmp_path / ".mage_project/history.db", print)
    for name, again in (("b1", "the command"), ("b2", None)):
        backfills.begin(store, name, "p", {"start": "2020-01", "end": None}, name, again=again)
    notice(found, store)
    with store.transaction(write=True) as transaction:
        transaction.run("UPDATE backfill SET heartbeat_at = heartbeat_at - 60, pid_started = '1'")
    notice(found, store)
    assert texts(hooks) == []
    monkeypatch.setenv("THE_HOOK", f"{hooks.url}/slack")
    for _ in range(2):
        notice(found, store)
    [(title, text)] = texts(hooks)
    assert (title, "2020-01 to now" in text, "backfill b1" in text) == ("backfill of p crashed", True, True)

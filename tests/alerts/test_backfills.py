"""A backfill tells once, about the whole, where it is asked to."""

from __future__ import annotations

from pathlib import Path

from tests.alerts.receivers import Receiver
from tests.alerts.test_runs import command, project, texts

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

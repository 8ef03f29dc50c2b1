"""Each interval is run once, whatever ends the backfill, and whoever else works on it."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable

import pytest

from tests.schedule.conftest import Scene, finished, statuses

QUARTER = ("--start", "2019-01", "--end", "2019-03")
FOUR = ("--start", "2019-01", "--end", "2019-04")


def test_every_interval_is_run_once_and_then_never_again(scene: Scene) -> None:
    code, receipt = scene.backfill(*FOUR, "--jobs", "2")
    assert (code, receipt["totals"], receipt["rows"]) == (0, {"completed": 4}, 40)
    assert {run.backfill_id for run in scene.runs()} == {receipt["backfill_id"]}
    code, again = scene.backfill(*FOUR)
    assert (code, again["totals"]) == (0, {"skipped": 4})
    assert scene.notes("done") == Counter(["2019-01", "2019-02", "2019-03", "2019-04"])


def test_failures_do_not_stop_the_others_and_are_run_again(scene: Scene) -> None:
    code, receipt = scene.backfill(*FOUR, "--var", "broken=['2019-02']", "--var", "absent=['2019-03']")
    assert code == 1
    assert list(statuses(receipt).values()) == ["completed", "failed", "not_published", "completed"]
    assert "2019-02 is broken" in receipt["intervals"][1]["error"]
    _, plan = scene.backfill(*FOUR, "--var", "broken=['2019-02']", "--var", "absent=['2019-03']", "--dry-run")
    assert [planned["action"] for planned in plan["plan"]] == ["skip", "run", "run", "skip"]
    _, plan = scene.backfill(*FOUR, "--dry-run")
    assert {planned["why"] for planned in plan["plan"]} == {"never run"}, "other variables are another kind of run"


def test_a_month_that_is_not_published_fails_no_backfill(scene: Scene) -> None:
    code, receipt = scene.backfill("--start", "2019-01", "--end", "2019-02", "--var", "absent=['2019-02']")
    assert (code, receipt["status"], receipt["totals"]) == (0, "completed", {"completed": 1, "not_published": 1})


def test_fail_fast_starts_no_more_runs(scene: Scene) -> None:
    code, receipt = scene.backfill(*FOUR, "--reverse", "--fail-fast", "--var", "broken=['2019-04']")
    assert (code, receipt["totals"]) == (1, {"failed": 1, "not_started": 3})


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_backfill_goes_on_where_it_was(scene: Scene, signum: int, gone: Callable[[int], None]) -> None:
    words = (*QUARTER, "--reprocess", "all", "--var", "slow=1")
    first = scene.start(*words)
    worker = scene.wait_for("begun", "2019-02")
    first.send_signal(signum)
    code, receipt = finished(first)
    gone(worker)
    assert (code, receipt["status"]) == (128 + signum, "interrupted")
    assert list(statuses(receipt).values())[::2] == ["completed", "not_started"]
    _, plan = scene.backfill(*words, "--dry-run")
    assert [(each["action"], each["why"].split()[0]) for each in plan["plan"]] == [
        ("skip", "completed"), ("run", "interrupted"), ("run", "never")]  # fmt: skip
    code, second = scene.backfill(*words)
    assert (code, second["backfill_id"], second["status"]) == (0, receipt["backfill_id"], "completed")
    assert scene.notes("done") == Counter(["2019-01", "2019-02", "2019-03"])


def test_a_killed_backfill_leaves_no_orphan_and_goes_on_where_it_was(scene: Scene, gone: Callable[[int], None]) -> None:
    first = scene.start(*QUARTER, "--jobs", "2", "--var", "slow=1")
    workers = [scene.wait_for("begun", month) for month in ("2019-01", "2019-02")]
    first.kill()
    first.communicate()
    for worker in workers:
        gone(worker)
    assert scene.notes("done") == Counter()
    code, receipt = scene.backfill(*QUARTER, "--jobs", "3", "--var", "slow=1")
    assert (code, receipt["totals"]) == (0, {"completed": 3})


def test_a_killed_run_is_a_crash_and_is_run_again(scene: Scene) -> None:
    first = scene.start("--start", "2019-01", "--end", "2019-02", "--var", "slow=0.5")
    os.kill(scene.wait_for("begun", "2019-01"), signal.SIGKILL)
    code, receipt = finished(first)
    assert (code, list(statuses(receipt).values())) == (1, ["crashed", "completed"])
    _, plan = scene.backfill("--start", "2019-01", "--end", "2019-02", "--var", "slow=0.5", "--dry-run")
    assert [planned["action"] for planned in plan["plan"]] == ["run", "skip"]
    assert "crashed" in plan["plan"][0]["why"]


def test_two_backfills_at_once_run_each_interval_once(scene: Scene) -> None:
    one = scene.start(*FOUR, "--jobs", "2", "--var", "slow=0.3")
    two = scene.start(*FOUR, "--jobs", "2", "--reverse", "--var", "slow=0.3")
    for code, receipt in (finished(one), finished(two)):
        assert code == 0
        assert set(statuses(receipt).values()) <= {"completed", "skipped"}
    assert scene.notes("begun") == Counter(["2019-01", "2019-02", "2019-03", "2019-04"])


def test_a_folder_for_logs_that_cannot_be_made_is_named(scene: Scene) -> None:
    (scene.root / ".mage_project").mkdir()
    (scene.root / ".mage_project/backfills").touch()
    process = scene.start("--start", "2024-01", "--end", "2024-01")
    _, error = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in error) == (2, False)
    assert "the folder for the runs' logs cannot be made" in error


def test_the_receipt_is_in_the_history(scene: Scene) -> None:
    _, receipt = scene.backfill("--start", "2019-01", "--end", "2019-01")
    with scene.store.transaction() as transaction:
        [row] = transaction.run("SELECT status, receipt FROM backfill")
    assert (row["status"], json.loads(row["receipt"])) == ("completed", receipt)


def test_a_run_by_hand_counts_and_changed_code_is_told(scene: Scene) -> None:
    from mage_project.project import Project
    from mage_project.runner.running import run_pipeline

    loader = scene.root / "data_loaders/load.py"
    source = loader.read_text()
    loader.write_text("@data_loader\ndef load(**kwargs):\n    return {'a': 1}\n")
    assert run_pipeline(Project(scene.root), "p", {"execution_date": "2019-01-01"}).exit_code == 0
    loader.write_text(source)
    for reprocess, action in (("missing", "skip"), ("failed", "skip"), ("all", "run")):
        _, plan = scene.backfill("--start", "2019-01", "--end", "2019-01", "--reprocess", reprocess, "--dry-run")
        [planned] = plan["plan"]
        assert (planned["action"], "the code of load has changed" in planned["why"]) == (action, True)

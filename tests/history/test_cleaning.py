"""Old leftovers of runs go, by age, number and size; what is in use, and the receipts, stay."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
import pytest

from mage_project.cli.commands import cli
from mage_project.history.forgetting import forget, old_runs
from mage_project.history.leftovers import Limits, leftovers, superfluous
from mage_project.history.logs import path_of
from mage_project.history.receipts import receipt_of
from mage_project.history.runs import going_on, newest
from mage_project.history.sqlite import SqliteStore
from mage_project.history.verifying import verify
from mage_project.project import Project
from mage_project.runner.running import run_pipeline

DAY_S = 86_400.0
NOW = 1_700_000_000.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Logs and failed rows of runs of today, 10, 20 and 40 days ago, a thousand bytes each."""
    for days in (0, 10, 20, 40):
        for path in (
            path_of(tmp_path, f"run-{900 - days}"),
            tmp_path / f".mage_project/failed_rows/p/run-{900 - days}/a.parquet",
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x" * 1000)
            for each in (path, path.parent):
                os.utime(each, (NOW - days * DAY_S,) * 2)
    return tmp_path


def gone(root: Path, limits: Limits, *used: str) -> set[str]:
    every = [each for each in leftovers(root) if each.kind == "log"]
    return {each.owner for each, _ in superfluous(every, limits, NOW, used)}


def test_what_is_older_goes(root: Path) -> None:
    assert gone(root, Limits(keep_days=15)) == {"run-880", "run-860"}


def test_what_is_of_older_runs_goes(root: Path) -> None:
    assert gone(root, Limits(keep_runs=3)) == {"run-860"}


def test_a_profile_goes_with_the_run_that_it_is_of(root: Path) -> None:
    profile = root / ".mage_project/profiles/run-860.svg"
    profile.parent.mkdir()
    profile.write_bytes(b"x")
    went = {each.path for each, _ in superfluous(leftovers(root), Limits(keep_runs=3), NOW, ())}
    assert profile in went


def test_the_oldest_goes_where_all_is_too_much(root: Path) -> None:
    assert gone(root, Limits(max_bytes=2_500)) == {"run-880", "run-860"}


def test_what_a_run_uses_that_goes_on_stays(root: Path) -> None:
    assert gone(root, Limits(keep_days=1, keep_runs=1, max_bytes=0), "run-860") == {"run-900", "run-890", "run-880"}


def test_a_folder_counts_with_all_that_is_in_it(root: Path) -> None:
    [rows] = [each for each in leftovers(root) if each.kind == "failed rows" and each.owner == "run-860"]
    assert rows.changed_at == NOW - 40 * DAY_S
    assert rows.size_bytes > 1000


def clean(root: Path, *words: str) -> None:
    (root / "pipelines").mkdir(exist_ok=True)
    with pytest.raises(SystemExit, match="0"):
        cli(["clean", *words, "--project", str(root)], standalone_mode=False)


def test_a_dry_run_removes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = leftovers(root)
    clean(root, "--keep-runs", "1", "--dry-run")
    assert leftovers(root) == before
    assert "would be removed: 6" in capsys.readouterr().out


def test_what_goes_is_removed(root: Path) -> None:
    clean(root, "--max-size", "1 TB")
    assert len(leftovers(root)) == 8
    clean(root, "--keep-runs", "1")
    assert [each.owner for each in leftovers(root)] == ["run-900", "run-900"]


def test_without_a_history_what_may_be_of_a_run_that_goes_on_stays(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / ".mage_project/history.db").mkdir()
    fresh = path_of(root, "run-999")
    fresh.touch()
    clean(root, "--keep-runs", "1")
    assert [each.path for each in leftovers(root)] == [fresh]
    assert "what has changed within a day stays" in capsys.readouterr().err


def test_what_is_no_size_is_wrong_usage(root: Path) -> None:
    with pytest.raises(click.BadParameter, match="no size"):
        cli(["clean", "--max-size", "much"], standalone_mode=False)


def test_the_outputs_of_the_last_run_stay_for_newer_runs_of_other_pipelines(project: Project) -> None:
    run_pipeline(project, "p")
    path_of(project.root, "99999999T000000-aaaaaa").touch()
    found = superfluous(leftovers(project.root), Limits(keep_runs=1), time.time(), ())
    assert [each.kind for each, _ in found] == ["log"]


def test_runs_taken_out_of_the_history_leave_their_receipts(project: Project, store: SqliteStore) -> None:
    first, *_ = [run_pipeline(project, "p").run_id for _ in range(3)]
    old = old_runs(store, before=None, keep=2, used=())
    forget(store, old)
    assert old == [first]
    assert first not in [run.run_id for run in newest(store)]
    assert receipt_of(store, first)["status"] == "completed"
    assert (verify(store).findings, verify(store).receipts) == ([], 4)


def test_a_run_that_goes_on_is_known(project: Project, store: SqliteStore) -> None:
    run_pipeline(project, "p")
    assert going_on(store) == []

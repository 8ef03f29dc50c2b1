"""The history's figures, as Prometheus' own parser reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from mage_project.cli.commands import cli
from mage_project.history.metrics import as_text
from mage_project.history.sqlite import SqliteStore
from mage_project.project import Project
from mage_project.runner.running import run_pipeline
from tests.history.conftest import BLOCKS, CODE
from tests.history.test_receipts import execute
from tests.projects import write_project

P = (("pipeline", "p"),)


def figures(text: str) -> dict[tuple[object, ...], float]:
    """Each sample by its name and labels, without the part of the name that all share."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(each.name.removeprefix("mage_project_"), *sorted(each.labels.items())): each.value for each in samples}


def test_runs_are_counted_by_how_they_ended(tmp_path: Path, project: Project, store: SqliteStore) -> None:
    runs = [run_pipeline(project, "p") for _ in range(2)]
    failing = {**CODE, "save": "@data_exporter\ndef f(frame):\n    raise ValueError('no')"}
    runs.append(run_pipeline(write_project(tmp_path, BLOCKS, failing), "p"))
    found = figures(as_text(store))
    assert found["runs_total", *P, ("status", "completed")] == 2
    assert found["runs_total", *P, ("status", "failed")] == 1
    assert found["run_seconds_total", *P, ("status", "failed")] == pytest.approx(runs[2].seconds, abs=1e-3)
    assert found["last_run_success", *P] == 0
    assert 0 < found["last_success_timestamp_seconds", *P] < found["last_run_timestamp_seconds", *P]


def test_a_run_without_a_process_has_crashed(project: Project, store: SqliteStore) -> None:
    run_pipeline(project, "p")
    execute(store.path, "UPDATE run SET status = 'running', ended_at = NULL, pid_started = 'long ago'")
    found = figures(as_text(store))
    assert (found["runs_total", *P, ("status", "crashed")], found["runs_running", *P]) == (1, 0)


def test_the_last_run_is_described(project: Project, tmp_path: Path) -> None:
    record = run_pipeline(project, "p")
    cli(["metrics", "--output", str(tmp_path / "p.prom"), "--project", str(project.root)], standalone_mode=False)
    found = figures((tmp_path / "p.prom").read_text())
    assert found["last_run_rows", *P] == 3
    assert found["last_run_success", *P] == 1
    assert found["last_run_peak_rss_bytes", *P] == record.peak_rss_bytes


def test_a_file_that_cannot_be_written_is_wrong_usage(project: Project) -> None:
    said = CliRunner().invoke(cli, ["metrics", "-o", "nowhere/p.prom", "--project", str(project.root)])
    assert said.exit_code == 2
    assert "'nowhere/p.prom' cannot be written: No such file or directory" in said.stderr


def test_a_history_without_runs_has_no_figures(project: Project, store: SqliteStore) -> None:
    assert figures(as_text(store)) == {}

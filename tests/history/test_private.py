"""What runs keep is for their user alone, whatever the umask says; a group shares it where it is given the folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mage_project.project import Project
from mage_project.runner.running import run_pipeline


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(kept: Path) -> dict[str, str]:
    """Of everything in the folder that others have rights to, which."""
    found = {str(path.relative_to(kept)): path.stat().st_mode & 0o7777 for path in kept.rglob("*")}
    return {name: f"{mode:o}" for name, mode in found.items() if mode & 0o077}


def kept_by_two_runs(project: Project) -> Path:
    """Logs, the history, outputs, and what is needed to resume the second run, which fails."""
    assert run_pipeline(project, "p").status == "completed"
    (project.root / "data_exporters/save.py").write_text("@data_exporter\ndef f(*_, **__):\n    raise ValueError('no')")
    assert run_pipeline(project, "p").resume is not None
    return project.root / ".mage_project"


def test_nobody_else_reads_what_runs_keep(project: Project, open_umask: None) -> None:
    (project.root / ".mage_project/logs").mkdir(parents=True)  # as an older version made it
    kept = kept_by_two_runs(project)
    assert {path.name for path in kept.iterdir()} >= {"history.db", "history.db.lock", "logs", "last_run", "resume"}
    assert rights(kept) == {}


def test_a_group_that_is_given_the_folder_shares_it(project: Project, open_umask: None) -> None:
    kept = project.root / ".mage_project"
    kept.mkdir()
    kept.chmod(0o2775)
    kept_by_two_runs(project)
    assert {path.stat().st_mode & 0o7777 for path in kept.rglob("*") if path.is_dir()} == {0o2770}
    assert rights(kept).keys() >= {"history.db", "history.db-wal", "logs", "last_run/p/load.arrow"}
    assert not [path for path in kept.rglob("*") if path.stat().st_mode & 0o007]


def test_what_runs_keep_goes_into_no_repository(project: Project) -> None:
    run_pipeline(project, "p")
    assert (project.root / ".mage_project/.gitignore").read_text() == "*\n"

"""What runs keep is for their user alone, whatever the umask says; a group shares it where it is given the folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mage_project.errors import UsageError
from mage_project.history import logs, private
from mage_project.project import Project
from mage_project.runner import failures
from mage_project.runner.kept import Kept
from mage_project.runner.running import run_pipeline


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(kept: Path) -> dict[str, str]:
    """Of everything in the folder that others have rights to, which."""
    paths = (path for path in kept.rglob("*") if path.name != ".gitignore")
    found = {str(path.relative_to(kept)): path.stat().st_mode & 0o7777 for path in paths}
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
    assert not [path for path, mode in rights(kept).items() if int(mode, 8) & 0o007]


@pytest.mark.parametrize("is_made_before", [False, True])
def test_what_runs_keep_goes_into_no_repository(project: Project, is_made_before: bool) -> None:
    if is_made_before:
        (project.root / ".mage_project").mkdir()
    run_pipeline(project, "p")
    assert (project.root / ".mage_project/.gitignore").read_text() == "*\n"


def test_a_folder_that_is_a_link_keeps_the_rights_that_others_have(tmp_path: Path, open_umask: None) -> None:
    shared, link = tmp_path / "shared", tmp_path / ".mage_project/profiles"
    shared.mkdir()
    link.parent.mkdir()
    link.symlink_to(shared)
    assert (private.folder(link / "p").stat().st_mode & 0o777, shared.stat().st_mode & 0o777) == (0o700, 0o755)


def test_who_asks_for_what_another_user_has_kept_is_told_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    resume = failures.folder_of(kept_by_two_runs(project).parent)
    (run_id,) = [path.name for path in resume.iterdir()]
    monkeypatch.chdir(project.root)  # the folders above it are for this user alone
    project.root.chmod(0o755)
    kept, here = Kept(replace(project.pipeline("p"), root=Path())), Path()
    os.seteuid(65534)
    try:
        for ask in (
            lambda: kept.output("load"),
            kept.exists,
            lambda: logs.find(here, run_id),
            lambda: failures.kept_runs(here),
        ):
            with pytest.raises(UsageError, match="another user's"):
                ask()
    finally:
        os.seteuid(0)

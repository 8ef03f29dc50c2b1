"""`runs show` tells a person what there is to know of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mage_project.cli.commands import cli
from mage_project.history.sqlite import SqliteStore
from mage_project.project import Project
from mage_project.runner.running import run_pipeline
from tests.projects import block, write_project

CODE = {
    "load": """
        import pandas as pd

        @data_loader
        def load(**kwargs):
            frame = pd.DataFrame({'a': [1, 2, None]})
            file = {'url': 'https://tlc.example/2024-01.csv', 'size': 1234567, 'etag': '0x8D', 'sha256': 'ab' * 32}
            frame.attrs.update(files=[{**file, 'rows': 3}], dropped={'too old': 7})
            return frame

        @test
        def test_there_are_rows(frame):
            assert len(frame) == 3, 'three rows'
    """,
    "save": """
        @data_exporter
        def save(frame, commit_later, **kwargs):
            if kwargs.get('broken'):
                raise ValueError('full')
            commit_later(commit=lambda: None, rollback=lambda: None, what='gs://lake/trips')
    """,
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    rules = {"checks": [{"not_null": "a", "severity": "warn"}]}
    blocks = [block("load", "data_loader"), block("save", "data_exporter", "load", configuration=rules)]
    return write_project(tmp_path, blocks, CODE)


def show(project: Project, run_id: str) -> str:
    ended = CliRunner().invoke(cli, ["runs", "show", run_id, "--project", str(project.root)])
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_it_shows_what_was_read_written_dropped_and_checked(project: Project) -> None:
    said = show(project, run_pipeline(project, "p").run_id)
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "https://tlc.example/2024-01.csv 3 1,234,567 0x8D abababababab" in lines
    assert "gs://lake/trips save 3" in lines
    assert "7 too old" in lines
    assert "1 of 1 tests passed, 0 of 1 checks passed" in lines
    assert any(line.startswith("! save: ") for line in lines)


def test_it_ends_with_the_command_that_resumes_a_failed_run(project: Project) -> None:
    record = run_pipeline(project, "p", {"broken": True})
    assert show(project, record.run_id).splitlines()[-1].endswith(record.resume or "")


def test_a_run_of_an_older_version_is_shown_as_far_as_it_was_kept(project: Project) -> None:
    run_id = run_pipeline(project, "p").run_id
    old = '{"uuid": "load", "status": "completed", "rows_in": null, "rows_out": 3, "seconds": 0.1}'
    with SqliteStore(project.root / ".mage_project/history.db", print).transaction(write=True) as transaction:
        transaction.run("UPDATE block_run SET record = :old WHERE place = 0", old=old)
    assert "load" in show(project, run_id)

"""Two runs side by side: only what differs, by the name one would look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mage_project.history.comparing import differences
from mage_project.history.runs import details
from mage_project.history.sqlite import SqliteStore
from mage_project.project import Project
from mage_project.runner.running import run_pipeline
from tests.history.conftest import BLOCKS, CODE
from tests.projects import write_project

LOADER = """
    import pandas as pd

    @data_loader
    def f(**kwargs):
        frame = pd.DataFrame({'a': range(%d), %r: 1})
        frame.attrs['files'] = [{'month': '2020-10', 'etag': %r, 'rows': %d}]
        frame.attrs['dropped'] = {'no passenger': %d}
        return frame

    @test
    def few_rows(frame, **kwargs):
        pass
"""


def run(root: Path, loader: str, **variables: object) -> str:
    project = write_project(root, BLOCKS, {**CODE, "load": loader})
    return run_pipeline(project, "p", {"execution_date": "2020-10-01", **variables}).run_id


def test_runs_of_the_same_differ_in_nothing(project: Project, store: SqliteStore) -> None:
    before, after = (run(project.root, CODE["load"]) for _ in range(2))
    assert differences(details(store, before), details(store, after)) == []


def test_what_changed_is_named(tmp_path: Path, store: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    from mage_project.cli.commands import cli

    before = run(tmp_path, LOADER % (3, "b", "e1", 3, 1), limit=5)
    after = run(tmp_path, LOADER % (4, "c", "e2", 4, 2), limit=6)
    found = {(each.aspect, each.name): (each.before, each.after)
             for each in differences(details(store, before), details(store, after))}  # fmt: skip
    assert found.pop(("code", "load"))[0] is not None
    assert found == {
        ("variable", "limit"): (5, 6),
        ("input", "2020-10 etag"): ("e1", "e2"),
        ("input", "2020-10 rows"): (3, 4),
        ("column", "load.b"): ("int64", None),
        ("column", "load.c"): (None, "int64"),
        ("count", "load.rows_out"): (3, 4),
        ("count", "load.dropped no passenger"): (1, 2),
        ("count", "save.rows_in"): (3, 4),
    }
    cli(["runs", "diff", before, after, "--project", str(tmp_path)], standalone_mode=False)
    assert "variable  limit" in capsys.readouterr().out

"""The command that is told when a run has failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mage_project.cli.again import run_again
from tests.projects import block, write_project

FAIL = "@data_loader\ndef load(**kwargs):\n    1 / 0\n"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("month=2020-10", "month=2020-10"),
        ("months=[a, b]", "'months=[a, b]'"),
        ("API_KEY=abc", "'API_KEY=***'"),
        ("db_password=a b", "'db_password=***'"),
        ("keyword=x", "keyword=x"),
        ("source=postgresql://me:secret@host/db", "'source=postgresql://me:***@host/db'"),
    ],
)
def test_variables_are_quoted_and_secrets_are_not_told(tmp_path, monkeypatch, typed, told):
    project = write_project(tmp_path, [block("a", "data_loader")], {"a": FAIL})
    monkeypatch.chdir(tmp_path)
    assert run_again(project, "p", [typed], local=True) == f"mage-project run p --local --var {told}"


def test_it_is_the_last_line_of_a_run_that_failed(tmp_path: Path, mage_project) -> None:
    write_project(tmp_path / "it", [block("a", "data_loader")], {"a": FAIL})
    words = ("run", "p", "--project", "it", "--var", "x=[1, 2]")
    command = f"mage-project run p --project {tmp_path / 'it'} --var 'x=[1, 2]'"
    assert mage_project(*words).stdout.splitlines()[-1] == f"  next:  {command}"

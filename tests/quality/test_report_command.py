"""`mage-project check --data` with a report: what it writes, what it compares with, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from mage_project.cli.commands import cli
from tests.projects import block, write_project

RULES = "- min: {column: n, value: 0}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(write_project(tmp_path, [block("load", "data_loader")], {"load": ""}).root)
    pq.write_table(pa.table({"n": [1, 2, -3], "code": ["a", "a", "b"]}), root / "new.parquet")
    pq.write_table(pa.table({"n": [1, 2, 3], "code": ["a", "a", "a"]}), root / "old.parquet")
    (root / "rules.yaml").write_text(RULES)
    monkeypatch.chdir(root)
    return root


def check(*words: str) -> Result:
    return CliRunner().invoke(cli, ["check", "--data", "new.parquet", *words])


def test_a_failed_check_writes_the_page_too(project: Path) -> None:
    done = check("--rules", "rules.yaml", "--html", "report.html")
    assert done.exit_code == 3, done.output
    assert "1 of 1 check failed" in (project / "report.html").read_text()


def test_rows_without_rules_have_a_page(project: Path) -> None:
    assert check("--html", "report.html").exit_code == 0
    assert "no checks" in (project / "report.html").read_text()


def test_a_saved_profile_stands_for_the_data_it_is_of(project: Path) -> None:
    assert CliRunner().invoke(cli, ["check", "--data", "old.parquet", "--save-profile", "old.json"]).exit_code == 0
    check("--html", "one.html", "--against", "old.parquet")
    check("--html", "other.html", "--against", "old.json")
    one, other = ((project / name).read_text().partition("<main>")[2] for name in ("one.html", "other.html"))
    assert "new: b (33.3" in one
    assert one.replace("old.parquet", "old.json") == other


def test_json_is_still_the_only_thing_on_standard_output(project: Path) -> None:
    done = check("--rules", "rules.yaml", "--html", "report.html", "--json")
    assert json.loads(done.stdout)["status"] == "failed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--against", "old.parquet"], "--rules"),
        (["--rules", "rules.yaml", "--against", "old.parquet"], "--against goes with --html"),
        (["--html", "nowhere/report.html"], "there is no folder nowhere"),
        (["--html", "report.html", "--against", "odl.parquet"], "Did you mean"),
    ],
    ids=["nothing to do", "no page", "no folder", "no such data"],
)
def test_what_cannot_be_is_refused(project: Path, words: list[str], said: str) -> None:
    done = check(*words)
    assert done.exit_code in {1, 2}
    assert said in done.output
    assert not (project / "report.html").exists()

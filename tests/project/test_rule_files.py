"""Rules in files of their own, chosen by variables of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from mage_project.project import Project
from mage_project.quality.rules import Rule
from tests.projects import block, write_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/north.yaml").write_text("- not_null: a\n")
    (tmp_path / "rules/south.yaml").write_text("- not_null: b\n- {min: {column: b, value: 1}, needs: b}\n")
    return tmp_path


def read(root: Path, pattern: str) -> Project:
    return write_project(root, [block("load", "data_loader", configuration={"checks": pattern})], {"load": "x = 1\n"})


def rules(root: Path, pattern: str, **variables: str) -> list[str]:
    [loader] = read(root, pattern).pipeline("p").blocks
    chosen: list[Rule] = [rule for rule in loader.checks if rule.is_for(variables)]
    return [rule.name for rule in chosen]


def test_a_variable_of_the_run_chooses_the_file(root: Path) -> None:
    assert rules(root, "rules/{region}.yaml", region="north") == ["not_null(a)"]
    assert rules(root, "rules/{region}.yaml", region="south") == ["not_null(b)", "min(b)"]
    assert rules(root, "rules/{region}.yaml", region="west") == []


def test_a_file_without_variables_is_for_every_run(root: Path) -> None:
    assert rules(root, "rules/north.yaml", region="south") == ["not_null(a)"]


def problems(root: Path, pattern: str) -> list[str]:
    _, found = read(root, pattern).inspect("p")
    return [f"{problem.path.relative_to(root)}:{problem.line} {problem.message}" for problem in found]


def test_a_file_that_is_not_there_is_an_error(root: Path) -> None:
    [problem] = problems(root, "rules/sooth.yaml")
    assert "there is no file of rules rules/sooth.yaml. Did you mean 'rules/south.yaml'?" in problem
    assert problem.startswith("pipelines/p/metadata.yaml:")


@pytest.mark.parametrize("pattern", ["/rules/{region}.yaml", "rules/../../north.yaml"])
def test_a_file_elsewhere_is_an_error(root: Path, pattern: str) -> None:
    [problem] = problems(root, pattern)
    assert f"'checks: {pattern}' leads out of the project" in problem


def test_mistakes_in_any_of_the_files_are_found_before_a_run(root: Path) -> None:
    (root / "rules/north.yaml").write_text("- not_null: a\n- not_nul: b\n")
    (root / "rules/south.yaml").write_text("- [\n")
    first, second = problems(root, "rules/{region}.yaml")
    assert first.startswith("rules/north.yaml:2 unknown key 'not_nul' of a check. Did you mean 'not_null'?")
    assert second.startswith("rules/south.yaml:1 the rules cannot be read: not valid YAML")

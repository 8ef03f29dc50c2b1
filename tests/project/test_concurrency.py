"""A pipeline's `concurrency_config`, as Mage writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mage_project.project import Project
from mage_project.project.concurrency import Concurrency
from tests.projects import write_pipeline

_TEXT = """
blocks: []
concurrency_config:
  block_run_limit: 2
  pipeline_run_limit: 1
  pipeline_run_limit_all_triggers: null
  on_pipeline_run_limit_reached: skip
"""


def test_the_limits_are_read(tmp_path: Path) -> None:
    write_pipeline(tmp_path, _TEXT)
    limits = Concurrency(block_run_limit=2, pipeline_run_limit=1, on_pipeline_run_limit_reached="skip")
    assert Project(tmp_path).pipeline("p").concurrency == limits


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("limit: 1", "limit: 0", "'pipeline_run_limit' of concurrency_config must be a number from 1 to 10,000, not 0"),
        ("limit: 1", "limit: 1000000000000000000000", "must be a number from 1 to 10,000, not 10000000"),
        ("reached: skip", "reached: skp", "must be wait or skip, not 'skp'. Did you mean 'skip'?"),
        ("block_run_limit", "block_run_limt", "unknown key 'block_run_limt' of a concurrency_config."),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    path = write_pipeline(tmp_path, _TEXT.replace(right, wrong))
    _, [problem] = Project(tmp_path).inspect("p")
    assert message in problem.message
    assert wrong in path.read_text().splitlines()[problem.line - 1]

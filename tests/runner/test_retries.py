"""How often a block is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mage_project.errors import ConfigError
from mage_project.project import Project
from mage_project.project.retries import Retries
from mage_project.runner.records import RunRecord
from mage_project.runner.running import run_pipeline
from tests.projects import block, write_project
from tests.runner.conftest import Shared

#: Fails with the error until it has been called so often.
SHAKY = """
@custom
def shaky(seen, error, passes_at, retry, **kwargs):
    seen.append(retry['attempts'])
    if len(seen) < passes_at:
        raise {'connection': ConnectionResetError, 'code': ValueError}[error]('no')
"""


def run(root: Path, seen: Shared, error: str, passes_at: int, retry_config: Any, whole: str = "") -> RunRecord:
    project = write_project(root, [block("shaky", "custom", retry_config=retry_config)], {"shaky": SHAKY})
    (root / "metadata.yaml").write_text(f"project_type: standalone\n{whole}")
    return run_pipeline(project, "p", {"seen": seen, "error": error, "passes_at": passes_at})


@pytest.mark.parametrize(
    ("error", "config", "attempts", "status"),
    [
        ("connection", {"retries": 2, "delay": 0}, 3, "completed"),
        ("connection", {"retries": 1, "delay": 0}, 2, "failed"),
        ("connection", None, 1, "failed"),
        ("code", {"retries": 2, "delay": 0}, 1, "failed"),
        ("code", {"retries": 2, "delay": 0, "retry_on": "all"}, 3, "completed"),
    ],
    ids=str,
)
def test_a_block_is_tried_as_often_as_it_says_where_that_can_help(tmp_path, seen, error, config, attempts, status):
    record = run(tmp_path, seen, error, 3, config)
    assert (seen, record.status) == ([*range(1, attempts + 1)], status)


def test_a_key_of_the_block_goes_over_that_of_the_project(tmp_path, seen):
    whole = "retry_config: {retries: 9, delay: 0, retry_on: all}\n"
    assert run(tmp_path, seen, "code", 9, {"retries": 1}, whole).status == "failed"
    assert len(seen) == 2


def test_what_mage_would_fail_for_is_told_and_may_stand_where_it_does_not(tmp_path, seen):
    entry = block("shaky", "custom", retry_config={"retries": 1, "delay": 0}, configuration={"retry_on": "all"})
    project = write_project(tmp_path, [entry], {"shaky": SHAKY})
    assert project.inspect("p")[1] == []
    assert run_pipeline(project, "p", {"seen": seen, "error": "code", "passes_at": 2}).status == "completed"
    write_project(tmp_path, [{**entry, "retry_config": {"retry_on": "all"}}], {"shaky": SHAKY})
    [problem] = project.inspect("p")[1]
    assert (problem.message, problem.warning) == ("Mage fails every block with 'retry_on' in this retry_config", True)


@pytest.mark.parametrize(
    ("config", "delays"),
    [
        ({"retries": 4}, [5, 10, 20]),
        ({"retries": 3, "delay": 1, "exponential_backoff": False}, [1, 1, 1]),
        ({"retries": 3, "delay": 30, "max_delay": 30}, []),
        ({}, []),
    ],
    ids=str,
)
def test_all_pauses_together_stay_below_max_delay(config, delays):
    assert list(Retries(**config).delays_s()) == delays


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"retrys": 3}, "unknown key 'retrys' of a retry_config. Did you mean 'retries'"),
        (
            {"delay": float("inf")},
            "'delay' of retry_config must be a number of seconds, 31,622,400 at the most, not inf",
        ),
        ({"retries": "many"}, "'retries' of retry_config must be a number, 0 or more, not 'many'"),
        ({"retry_on": "some"}, "must be transient or all"),
        ([3], "'retry_config' must be a mapping"),
    ],
    ids=str,
)
def test_what_is_wrong_in_it_is_an_error_with_its_line(tmp_path, config, said):
    write_project(tmp_path, [block("a", "custom", retry_config=config)], {"a": "@custom\ndef a():\n    pass\n"})
    with pytest.raises(ConfigError, match=said) as caught:
        Project(tmp_path).pipeline("p")
    assert (caught.value.where or "").startswith("pipelines/p/metadata.yaml:")

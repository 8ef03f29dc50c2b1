"""Sensors that wait for another pipeline, by the history of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from mage_project.errors import BlockError, UsageError
from mage_project.io.repo_path import set_repo_path
from mage_project.mage_ai.orchestration.run_status_checker import check_status
from mage_project.project import Project
from mage_project.runner.running import run_pipeline
from tests.projects import block, write_project

NOON = datetime(2024, 3, 3, 12)
LINE = [block("a", "data_loader"), block("b", "custom", "a")]
WORK = {
    "a": "@data_loader\ndef load():\n    return 1\n",
    "b": "@custom\ndef work(one, **kwargs):\n    one / kwargs['n']\n",
}
SENSE = """
from mage_ai.orchestration.run_status_checker import check_status

@sensor
def sense(*args, **kwargs):
    return check_status(kwargs['wanted'], kwargs['execution_date'], block_uuid=kwargs.get('block'))
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    set_repo_path(tmp_path)
    yield write_project(tmp_path, LINE, WORK)
    set_repo_path(None)


def run(project: Project, moment: datetime, n: int = 1) -> str:
    found = run_pipeline(project, "p", {"execution_date": moment, "n": n})
    set_repo_path(project.root)
    return found.run_id


def test_a_run_counts_for_the_hours_after_its_date(project):
    assert check_status("p", NOON) is False
    run(project, NOON - timedelta(hours=3))
    assert check_status("p", NOON) is True
    assert check_status("p", NOON, hours=2) is False
    assert check_status("p", NOON - timedelta(hours=4)) is False
    assert check_status("p", NOON.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=9)))) is True


def test_a_run_that_failed_stops_the_sensor_and_its_blocks_count_by_themselves(project):
    failed = run(project, NOON, n=0)
    with pytest.raises(BlockError, match=f"run {failed} of p for 2024-03-03T12:00:00: ZeroDivisionError"):
        check_status("p", NOON)
    with pytest.raises(BlockError, match="block 'b' of it failed"):
        check_status("p", NOON, block_uuid="b")
    assert check_status("p", NOON, block_uuid="a") is True
    run(project, NOON)
    assert check_status("p", NOON) is check_status("p", NOON, block_uuid="b") is True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pipeline_uuid": "pp"}, "there is no pipeline 'pp'. Did you mean 'p'"),
        ({"block_uuid": "c"}, "pipeline 'p' has no block 'c'"),
        ({"execution_date": "noon"}, "is not a date: 'noon'"),
        ({"hours": "1"}, "the hours of check_status must be a number of them, not '1'"),
    ],
    ids=str,
)
def test_what_is_wrong_is_an_error_and_no_endless_wait(project, given, said):
    with pytest.raises((BlockError, UsageError), match=said):
        check_status(**{"pipeline_uuid": "p", "execution_date": NOON, **given})


def test_a_sensor_sees_what_has_ended_of_its_own_run_and_never_waits_for_its_end(project):
    blocks = [block("a", "data_loader"), block("s", "sensor", "a")]
    write_project(project.root, blocks, {"s": SENSE}, pipeline="q")
    assert run_pipeline(project, "q", {"wanted": "q", "block": "a"}).error is None
    assert "waits for the end of the run that it is a part of" in str(run_pipeline(project, "q", {"wanted": "q"}).error)

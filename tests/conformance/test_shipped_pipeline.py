"""The shipped pipeline, run by real Mage and by the runner: the same folder, the same months, the same stores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.box import Box, Ended
from tests.conformance.conftest import copy_of_the_project, real_months, sample_months
from tests.conformance.runners import Both
from tests.conformance.stores import Stores

PIPELINE = "green_taxi_etl"
MONTHS = {"sample months": sample_months, "the real quarter": real_months}


@dataclass(frozen=True, kw_only=True)
class Loads:
    """How "mage" and "ours" ended; what each loaded is in a table and a lake of its name."""

    project: Path
    before: dict[Path, bytes]
    ended: dict[str, Ended]


@pytest.fixture(scope="module", params=MONTHS)
def loads(request: pytest.FixtureRequest, both: Both, tmp_path_factory: pytest.TempPathFactory) -> Loads:
    source = str(MONTHS[request.param]())
    project = copy_of_the_project(tmp_path_factory.mktemp("project") / "shipped")
    before = contents(project)
    ended = both.succeed(project, PIPELINE, lambda name: {"source": source, "table": name, "lake_table": name})
    return Loads(project=project, before=before, ended=ended)


@pytest.mark.usefixtures("loads")
def test_the_tables_have_the_same_columns(stores: Stores) -> None:
    assert list(stores.columns("ours")) == list(stores.columns("mage"))


@pytest.mark.usefixtures("loads")
def test_the_tables_hold_the_same_rows_the_same_number_of_times(stores: Stores) -> None:
    types = stores.columns("ours")
    assert stores.count("ours") == stores.count("mage") > 0
    assert stores.surplus("ours", "mage", types) == []
    assert stores.surplus("mage", "ours", types) == []


@pytest.mark.usefixtures("loads")
def test_the_lakes_have_the_same_partitions_with_the_same_rows(stores: Stores) -> None:
    mage, ours = stores.lake("mage"), stores.lake("ours")
    assert ours.keys() == mage.keys()
    assert len(ours) == 95
    assert [day for day in ours if not ours[day].equals(mage[day])] == []
    assert sum(day.num_rows for day in ours.values()) == stores.count("ours")


def test_the_in_line_tests_pass_in_both(loads: Loads, both: Both) -> None:
    verdicts = both.mage.verdicts(loads.ended["mage"])
    assert both.ours.verdicts(loads.ended["ours"]) == verdicts == [(1, 1), (5, 5)]


def test_nothing_is_left_but_what_git_ignores(loads: Loads, box: Box) -> None:
    assert contents(loads.project) == loads.before
    assert not list((box.folder / "home").rglob(loads.project.name))
    assert not list((box.folder / "tmp").iterdir())


def contents(project: Path) -> dict[Path, bytes]:
    """The files of the project, without those in .mage_project/."""
    files = {path.relative_to(project): path for path in project.rglob("*") if path.is_file()}
    return {path: file.read_bytes() for path, file in files.items() if path.parts[0] != ".mage_project"}


def test_a_transformer_that_loses_a_row_fails_in_both_and_nothing_is_written(
    shipped: Path, both: Both, stores: Stores
) -> None:
    block = shipped / "transformers" / "clean_taxi_trips.py"
    text = block.read_text()
    assert "trips[keep].reset_index" in text
    block.write_text(text.replace("trips[keep].reset_index", "trips[keep].iloc[1:].reset_index"))
    given = {"source": str(sample_months()), "table": "lossy", "lake_table": "lossy"}
    ended = both.run(shipped, PIPELINE, lambda _: given)
    assert {name: each.exit_code for name, each in ended.items()} == {"mage": 1, "ours": 3}
    assert all("test_known_answers" in each.said for each in ended.values())
    assert (stores.columns("lossy"), stores.lake("lossy")) == ({}, {})

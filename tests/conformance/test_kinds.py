"""Dynamic and replicated blocks, conditions and callbacks: as Mage's scheduler runs them, and here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.box import INSIDE
from tests.conformance.differences import Difference
from tests.conformance.kinds import DIFFERENT, SAME, Kind
from tests.conformance.runners import Mage, Ours, Seen
from tests.conformance.test_what_blocks_see import write_project


@pytest.fixture(scope="module")
def seen(mage: Mage, ours: Ours, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Seen]]:
    """What was seen in every case, by "mage" and by "ours"."""
    folder = tmp_path_factory.mktemp("kinds")
    project = folder / "kinds"
    write_project(project)
    cases = [*SAME, *(difference.case for difference in DIFFERENT)]
    for case in cases:
        case.write(project)
    uuids = [case.uuid for case in cases]
    return {
        "mage": scheduled(mage, project, folder / "notes", uuids),
        "ours": ours.several(project, {uuid: {} for uuid in uuids}),
    }


def scheduled(mage: Mage, project: Path, notes: Path, uuids: list[str]) -> dict[str, Seen]:
    notes.mkdir()
    plan = notes / "plan.json"
    plan.write_text(json.dumps({"project": str(project), "notes": str(notes), "pipelines": uuids}))
    ended = mage.box.run(mage.commands / "python", INSIDE / "scheduled.py", plan)
    assert ended.exit_code == 0, ended.said
    outcomes = json.loads((notes / "outcomes.json").read_text())
    return {uuid: Seen(outcome=outcomes[uuid], lines=lines(notes / f"{uuid}.jsonl")) for uuid in uuids}


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.what) for case in SAME])
def test_it_runs_as_in_mage(case: Kind, seen: dict[str, dict[str, Seen]]) -> None:
    mage, ours = seen["mage"][case.uuid], seen["ours"][case.uuid]
    assert ours.lines == mage.lines
    assert (ours.outcome == "done") is (mage.outcome == "done"), f"Mage: {mage.outcome}\nours: {ours.outcome}"


@pytest.mark.parametrize("difference", [pytest.param(each, id=each.case.what) for each in DIFFERENT])
def test_what_differs_differs_on_purpose(difference: Difference, seen: dict[str, dict[str, Seen]]) -> None:
    for name, expected in (("mage", difference.in_mage), ("ours", difference.here)):
        found = seen[name][difference.case.uuid]
        if isinstance(expected, str):
            assert expected in found.outcome
        else:
            assert (found.outcome, found.lines) == ("done", [json.dumps(line) for line in expected])

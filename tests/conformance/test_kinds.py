"""Dynamic and replicated blocks, conditions and callbacks: as Mage's scheduler runs them, and here."""

from __future__ import annotations

import pytest

from tests.conformance.comparing import check_different, check_same
from tests.conformance.differences import Difference
from tests.conformance.kinds import DIFFERENT, SAME, Kind
from tests.conformance.runners import Mage, Ours, Seen
from tests.conformance.test_what_blocks_see import write_project


@pytest.fixture(scope="module")
def seen(mage: Mage, ours: Ours, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Seen]]:
    """What was seen in every case, by "mage" and by "ours"."""
    project = tmp_path_factory.mktemp("kinds") / "kinds"
    write_project(project)
    cases = [*SAME, *(difference.case for difference in DIFFERENT)]
    for case in cases:
        case.write(project)
    pipelines: dict[str, dict[str, object]] = {case.uuid: {} for case in cases}
    return {"mage": mage.scheduled(project, pipelines), "ours": ours.several(project, pipelines)}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.what) for case in SAME])
def test_it_runs_as_in_mage(case: Kind, seen: dict[str, dict[str, Seen]]) -> None:
    check_same(seen, case.uuid)


@pytest.mark.parametrize("difference", [pytest.param(each, id=each.case.what) for each in DIFFERENT])
def test_what_differs_differs_on_purpose(difference: Difference, seen: dict[str, dict[str, Seen]]) -> None:
    check_different(seen, difference)

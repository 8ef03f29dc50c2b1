"""What blocks are given, and what becomes of what they return: in real Mage, and here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.cases import Case
from tests.conformance.comparing import check_different, check_same
from tests.conformance.differences import DIFFERENT, Difference
from tests.conformance.idioms import SAME
from tests.conformance.runners import Both, Seen


@pytest.fixture(scope="module")
def seen(both: Both, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Seen]]:
    """What was seen in every case, by "mage" and by "ours"."""
    project = tmp_path_factory.mktemp("cases") / "idioms"
    write_project(project)
    cases = [*SAME, *(difference.case for difference in DIFFERENT)]
    for case in cases:
        case.write(project)
    pipelines = {case.uuid: case.given for case in cases}
    return {runner.name: runner.several(project, pipelines) for runner in (both.mage, both.ours)}


def write_project(project: Path) -> None:
    (project / "helping").mkdir(parents=True)
    (project / "metadata.yaml").write_text("project_type: standalone\nhelp_improve_mage: false\n")
    (project / "helping" / "words.py").write_text("def word():\n    return 'hello'\n")
    for package in (project, project / "helping"):
        (package / "__init__.py").touch()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.what) for case in SAME])
def test_blocks_see_here_what_they_see_in_mage(case: Case, seen: dict[str, dict[str, Seen]]) -> None:
    check_same(seen, case.uuid)


@pytest.mark.parametrize("difference", [pytest.param(each, id=each.case.what) for each in DIFFERENT])
def test_what_differs_differs_on_purpose(difference: Difference, seen: dict[str, dict[str, Seen]]) -> None:
    check_different(seen, difference)

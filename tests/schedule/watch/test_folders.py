from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mage_project.schedule.watch.folders import Unsettled, look
from mage_project.schedule.watch.sightings import CannotLook


def file(path: Path, text: str = "x", age_s: float = 60) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in", ["in/a.csv", "in/b.txt"]),
        ("in/", ["in/a.csv", "in/b.txt"]),
        ("in/*.csv", ["in/a.csv"]),
        ("in/**/*.csv", ["in/a.csv", "in/below/c.csv"]),
        ("in/a.csv", ["in/a.csv"]),
        ("nowhere", []),
        ("nowhere/*.csv", []),
    ],
)
def test_a_file_a_folder_or_a_pattern_is_watched(tmp_path: Path, text: str, found: list[str]) -> None:
    for name in ("a.csv", "b.txt", ".hidden", "d.csv.part", "below/c.csv"):
        file(tmp_path / "in" / name)
    assert [each.address for each in look(tmp_path, text, {})] == found


def test_a_file_that_has_changed_is_another_version(tmp_path: Path) -> None:
    path = file(tmp_path / "a")
    [before] = look(tmp_path, "a", {})
    file(path, "y", age_s=30)
    [after] = look(tmp_path, "a", {})
    assert before.key != after.key


def test_a_file_that_may_still_be_written_is_waited_for(tmp_path: Path) -> None:
    file(tmp_path / "in/a")
    file(tmp_path / "in/b", age_s=0.5)
    with pytest.raises(Unsettled) as told:
        look(tmp_path, "in", {})
    assert [each.address for each in told.value.sightings] == ["in/a"]


def test_a_path_that_cannot_be_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(CannotLook):
        look(tmp_path, "a" * 300, {})

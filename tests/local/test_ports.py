from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mage_project.local import ports


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "postgres.port"


def test_a_chosen_port_is_chosen_again(file: Path) -> None:
    assert ports.choose(file) == ports.choose(file) == ports.remembered(file)


def test_a_taken_port_is_given_up_and_the_new_one_remembered(file: Path) -> None:
    before = ports.choose(file)
    with socket.socket() as other:
        other.bind((ports.HOST, before))
        other.listen()
        assert not ports.is_free(before)
        after = ports.choose(file)
    assert after != before
    assert ports.remembered(file) == after


@pytest.mark.parametrize("content", ["", "many\n"], ids=["empty", "no number"])
def test_a_file_without_a_port_remembers_none(file: Path, content: str) -> None:
    file.write_text(content)
    assert ports.remembered(file) is None


def test_no_file_remembers_none(file: Path) -> None:
    assert ports.remembered(file) is None

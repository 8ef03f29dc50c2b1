"""Mage's helpers for lists, mappings, texts and names answer what they answer in real Mage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.runners import mage_commands
from tests.mage_ai.helper_calls import CALLS

SCRIPT = Path(__file__).parent / "inside" / "call_helpers.py"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    commands = mage_commands()
    if commands is None:
        pytest.skip("no real Mage to compare with: `make mage-venv` installs it (MAGE_VENV names another place)")
    folder = tmp_path_factory.mktemp("helpers")
    (folder / "calls.json").write_text(json.dumps(CALLS))
    for who, python in (("mage", commands / "python"), ("ours", Path(sys.executable))):
        out = folder / f"{who}.json"
        subprocess.run([python, SCRIPT, who, folder / "calls.json", out], check=True, cwd=folder, capture_output=True)
    return {who: json.loads((folder / f"{who}.json").read_text()) for who in ("mage", "ours")}


@pytest.mark.mage
@pytest.mark.parametrize("place", range(len(CALLS)), ids=[f"{call[1]} {str(call[2])[-30:]}" for call in CALLS])
def test_a_helper_answers_what_it_answers_in_mage(answers, place):
    assert answers["ours"][place] == answers["mage"][place]

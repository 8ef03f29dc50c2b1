"""Transformer actions do to the same frames what they do in real Mage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.runners import mage_commands
from tests.mage_ai.action_cases import CASES

SCRIPT = Path(__file__).parent / "inside" / "do_actions.py"
#: Told in docs/mage-names.md: what fails or goes wrong in Mage, and not here.
BROKEN_IN_MAGE: dict[str, dict[str, Any]] = {
    "the first of all rows": {
        "frame": {"n": [3, 1, 2]},
        "action": {"action_type": "first", "arguments": ["n"], "outputs": [{"uuid": "f", "column_type": "number"}]},
    },
    "whole amounts with a comma": {
        "frame": {"amount": ["$1,000", "$2", "$3"]},
        "action": {"action_type": "select", "arguments": ["amount"]},
    },
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    commands = mage_commands()
    if commands is None:
        pytest.skip("no real Mage to compare with: `make mage-venv` installs it (MAGE_VENV names another place)")
    folder = tmp_path_factory.mktemp("actions")
    (folder / "cases.json").write_text(json.dumps(CASES | BROKEN_IN_MAGE))
    for who, python in (("mage", commands / "python"), ("ours", Path(sys.executable))):
        out = folder / f"{who}.json"
        subprocess.run([python, SCRIPT, who, folder / "cases.json", out], check=True, cwd=folder, capture_output=True)
    return {who: json.loads((folder / f"{who}.json").read_text()) for who in ("mage", "ours")}


@pytest.mark.mage
@pytest.mark.parametrize("name", [name for name in CASES if name != "impute random a"])
def test_an_action_does_what_it_does_in_mage(outcomes, name):
    assert "error" not in outcomes["mage"][name]
    assert outcomes["ours"][name] == outcomes["mage"][name]


@pytest.mark.mage
@pytest.mark.parametrize("name", BROKEN_IN_MAGE)
def test_what_is_broken_in_mage_works_here(outcomes, name):
    assert "error" in outcomes["mage"][name]
    assert "error" not in outcomes["ours"][name]

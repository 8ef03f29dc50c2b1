"""Real Mage reads the triggers that this project ships, what is under `mage_project` included."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.test_pages import MAGE, needs_mage

_READ = """
import json, sys
from mage_ai.data_preparation.models.triggers import load_trigger_configs
for path in sys.argv[1:]:
    found = load_trigger_configs(open(path).read(), 'p', raise_exception=True, repo_path='.')
    print(json.dumps([(trigger.name, trigger.schedule_type, trigger.status) for trigger in found]))
"""


@needs_mage
@pytest.mark.mage
@pytest.mark.slow
def test_mage_reads_every_trigger_that_ships(tmp_path: Path) -> None:
    files = sorted(ROOT.glob("pipelines/*/triggers.yaml"))
    words = [str(MAGE / "bin/python"), "-c", _READ, *map(str, files)]
    said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = [tuple(each) for line in said.stdout.splitlines() if line.startswith("[[") for each in json.loads(line)]
    assert found == [("daily_at_five", "time", "active"), ("month_published", "event", "inactive")]

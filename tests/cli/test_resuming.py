"""`mage-project resume`."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.projects import block, write_project

LOAD = "@data_loader\ndef load():\n    print('loading')\n    return [1, 2]\n"
FAIL = "@data_exporter\ndef out(numbers):\n    raise ValueError('broken')\n"
SLOW = "import time\n@data_exporter\ndef out(numbers):\n    time.sleep(2)\n"
MENDED = "@data_exporter\ndef out(numbers):\n    print('out', numbers)\n"


@pytest.fixture
def project(tmp_path):
    blocks = [block("load", "data_loader"), block("out", "data_exporter", "load")]
    return write_project(tmp_path, blocks, {"load": LOAD, "out": FAIL})


def test_the_last_line_of_a_failed_run_resumes_it_with_a_plan_first(project, mage_project):
    failed = mage_project("run", "p")
    last = failed.stdout.splitlines()[-1]
    assert last.startswith("  next:  mage-project resume 2")
    (project.root / "data_exporters/out.py").write_text(MENDED)
    done = mage_project(*shlex.split(last.partition("mage-project ")[2]))
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[2:5] == [
        "  block  plan  why",
        "  load   skip  completed, and its output is kept",
        "  out    run   failed",
    ]
    assert "out: out [1, 2]" in said
    assert "load: loading" not in said


def test_what_makes_a_result_doubtful_is_asked_for(project, mage_project):
    run_id = json.loads(mage_project("run", "p", "--json").stdout)["run_id"]
    (project.root / "data_exporters/out.py").write_text(MENDED)
    (project.root / "data_loaders/load.py").write_text(f"{LOAD}# changed\n")
    assert mage_project("resume", run_id, "--dry-run").returncode == 0
    refused = mage_project("resume", run_id)
    assert refused.returncode == 2
    assert "'load' has changed since, and does not run again" in refused.stderr
    assert f"mage-project resume {run_id} --yes" in refused.stderr
    assert mage_project("resume", run_id, "--yes").returncode == 0


def test_the_limits_of_the_failed_run_hold_until_others_are_given(project, mage_project):
    run_id = json.loads(mage_project("run", "p", "--json", "--timeout", "60").stdout)["run_id"]
    (project.root / "data_exporters/out.py").write_text(SLOW)
    shorter = mage_project("resume", run_id, "--timeout", "1", "--json")
    assert shorter.returncode == 1
    assert "longer than its timeout of 1 s" in json.loads(shorter.stdout)["error"]
    again = json.loads(shorter.stdout)["run_id"]
    kept = json.loads(mage_project("resume", again, "--json").stdout)
    assert "longer than its timeout of 1 s" in kept["error"]
    assert mage_project("resume", kept["run_id"], "--timeout", "60").returncode == 0

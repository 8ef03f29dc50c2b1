"""`--sample`, as a person types it."""

from __future__ import annotations

import json

from tests.projects import block, write_project

LOAD = "import pandas as pd\n\n@data_loader\ndef load(**kwargs):\n    return pd.DataFrame({'n': range(1000)})\n"


def test_a_run_on_a_sample_is_told_from_one_of_the_whole(tmp_path, mage_project):
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD})
    told = json.loads(mage_project("run", "p", "--sample", "10", "--json").stdout)
    assert (told["status"], told["blocks"][0]["rows_out"]) == ("sampled", 10)
    assert "was tried on a sample, nothing is written" in mage_project("run", "p", "--sample", "10").stdout
    assert "sampled" in mage_project("runs", "list").stdout


def test_a_sample_of_nothing_is_refused(tmp_path, mage_project):
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD})
    assert mage_project("run", "p", "--sample", "0").returncode == 2


def test_one_block_is_tried_on_a_sample(tmp_path, mage_project):
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD})
    assert "10 rows" in mage_project("block", "load", "--sample", "10").stdout

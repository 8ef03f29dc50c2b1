"""A block that is watched runs again when something changes that it is made of."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from mage_project.cli import cli
from tests.projects import block, write_project

LOAD = """
import pandas as pd
from shared.numbers import N

@data_loader
def load(**kwargs):
    return pd.DataFrame({"n": range(N)})
"""
WATCHING = "Ctrl-C ends it"


class Watched:
    def __init__(self, root: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "mage_project", "block", "load", "--watch"]
        self.process = subprocess.Popen(command, cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def said(self, seconds: float = 60) -> str:
        """What is said until it waits again."""
        end, said = time.monotonic() + seconds, b""
        while WATCHING.encode() not in said:
            assert time.monotonic() < end, said.decode()
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                said += os.read(self.process.stdout.fileno(), 65_536)
        return said.decode()


@pytest.fixture
def watched(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "numbers.py").write_text("N = 3\n")
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD})
    each = Watched(tmp_path)
    yield each
    each.process.kill()
    each.process.wait()
    each.process.stdout.close()


def test_it_runs_again_after_each_change_and_goes_on_after_an_error(tmp_path, watched):
    first = watched.said()
    assert "3 rows × 1 columns" in first
    assert "watching data_loaders/load.py and" in first
    (tmp_path / "shared" / "numbers.py").write_text("N = 45\n")
    assert "45 rows × 1 columns" in watched.said()
    (tmp_path / "data_loaders" / "load.py").write_text("@data_loader\ndef load(**kwargs):\n    return 1 / 0\n")
    failed = watched.said()
    assert "data_loaders/load.py changed" in failed
    assert "ZeroDivisionError" in failed
    (tmp_path / "pipelines" / "p" / "metadata.yaml").write_text("blocks: [")
    assert "not valid YAML" in watched.said()
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD}, variables={"month": "2020-10"})
    assert "45 rows × 1 columns" in watched.said()
    watched.process.send_signal(signal.SIGINT)
    assert watched.process.wait(30) == 0


def test_what_writes_is_not_watched(tmp_path, mage_project):
    write_project(tmp_path, [block("load", "data_exporter")], {"load": "@data_exporter\ndef f():\n    pass\n"})
    refused = mage_project("block", "load", "--watch")
    assert refused.returncode == 2
    assert "would at every change" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["laod"], "no pipeline has a block 'laod'. Did you mean 'load'?"),
        (["load"], "several pipelines have a block 'load'"),
        (["load", "--pipeline", "r"], "there is no pipeline 'r'."),
    ],
)
def test_a_name_that_is_not_that_of_one_block_is_not_watched(tmp_path, words, said):
    for name in ("p", "q"):
        write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD}, pipeline=name)
    refused = CliRunner().invoke(cli, ["block", *words, "--watch", "--project", str(tmp_path)])
    assert (refused.exit_code, said in refused.output) == (2, True), refused.output

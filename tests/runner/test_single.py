"""One block alone."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest

from mage_project.runner.reporting import Silent
from mage_project.runner.running import run_pipeline
from mage_project.runner.single import run_block
from tests.projects import block
from tests.runner.sql_projects import sql_block, write_sql_project

LOAD = "import pandas as pd\n@data_loader\ndef load():\n    return pd.DataFrame({'n': [1, 2]})\n"


class Listener(Silent):
    """Remembers what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, block: str | None, line: str) -> None:
        self.lines.append(f"{block}: {line}")


@pytest.mark.parametrize(("policy", "told", "rows"), [("append", "adds its rows to", 4), ("replace", "replaces", 2)])
def test_a_sql_exporter_says_first_that_it_writes_for_real(tmp_path, policy, told, rows):
    where = {"data_provider": "duckdb", "data_provider_profile": "duck", "data_provider_table": "kept"}
    blocks = [
        block("load", "data_loader"),
        sql_block("out", "data_exporter", "load", export_write_policy=policy, **where),
    ]
    project = write_sql_project(tmp_path, blocks, {"load": LOAD, "out": "SELECT * FROM {{ df_1 }}"})
    assert run_pipeline(project, "p").error is None
    listener = Listener()
    assert run_block(project, "out", {}, reporter=listener)[0].error is None
    assert listener.lines[0] == f"out: this is no rehearsal: it {told} the real table kept"
    with closing(duckdb.connect(tmp_path / "store.duckdb")) as store:
        assert store.sql("SELECT count(*) FROM kept").fetchall() == [(rows,)]


def test_a_transformer_says_nothing_of_the_kind(tmp_path):
    blocks = [block("load", "data_loader")]
    listener = Listener()
    run_block(write_sql_project(tmp_path, blocks, {"load": LOAD}), "load", {}, reporter=listener)
    assert listener.lines == []

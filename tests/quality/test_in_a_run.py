"""Checks in a run: nothing lands when one fails, a warning is recorded, and what cannot be checked is told."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from mage_project.cli.inspection import problems_of
from mage_project.cli.reporters import PlainReporter
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from tests.projects import block, write_project

LOADER = """
import pandas as pd

@data_loader
def load(**kwargs):
    frames = (pd.DataFrame({"n": range(start, start + 3), "s": "x"}) for start in (0, 3, 6))
    return frames if kwargs.get("stream") else pd.concat(frames)
"""
EXPORTER = """
from mage_project.io import commits

@data_exporter
def export(frames, **kwargs):
    rows = []
    commits.current().add(commit=lambda: kwargs["store"].append(rows), rollback=lambda: None)
    for frame in frames if kwargs.get("stream") else [frames]:
        rows.extend(frame.n.tolist())
"""
STREAMS = [True, False]


class Store(list):
    """Stands for what a store holds; never copied."""

    def __deepcopy__(self, memo):
        return self


def run(tmp_path, checks, *, stream=True, at="load", loader=LOADER, said=None):
    def configuration(uuid):
        return {"configuration": {"stream": stream, **({"checks": checks} if uuid == at else {})}}

    blocks = [
        block("load", "data_loader", **configuration("load")),
        block("save", "data_exporter", "load", **configuration("save")),
    ]
    project = write_project(tmp_path, blocks, {"load": loader, "save": EXPORTER})
    store = Store()
    with importable(project.root):
        variables = {"store": store, "execution_date": "2020-11-01"}
        record = Run(project.pipeline("p"), variables, reporter=PlainReporter(said or io.StringIO())).execute()
    return record, store


@pytest.mark.parametrize("stream", STREAMS, ids=["stream", "whole"])
@pytest.mark.parametrize("at", ["load", "save"])
def test_nothing_lands_when_a_check_fails(tmp_path, stream, at):
    record, store = run(tmp_path, [{"max": {"column": "n", "value": 6}}], stream=stream, at=at)
    assert (record.exit_code, store) == (3, [])
    assert "check 'max(n)' failed: 2 of 9 rows (22.22 %) are above 6" in record.error
    assert record.block(at).status == "failed"


@pytest.mark.parametrize("stream", STREAMS, ids=["stream", "whole"])
def test_a_warning_is_shown_and_recorded_and_the_rows_land(tmp_path, stream):
    said = io.StringIO()
    checks = [{"max": {"column": "n", "value": 6}, "severity": "warn"}, {"not_null": "n"}]
    record, store = run(tmp_path, checks, stream=stream, said=said)
    assert (record.exit_code, store) == (0, [list(range(9))])
    warning, passed = record.as_dict()["blocks"][0]["checks"]
    assert (warning["passed"], warning["failing"], warning["severity"], passed["passed"]) == (False, 2, "warn", True)
    assert "! max(n): 2 of 9 rows (22.22 %) are above 6" in said.getvalue()
    assert "1 of 2 checks passed" in said.getvalue()


def test_the_command_that_is_told_shows_the_rows_that_broke_the_rule(tmp_path):
    record, _ = run(tmp_path, [{"max": {"column": "n", "value": 6}}])
    more = record.block("load").checks[0].more
    assert more in record.error
    path = next(word for word in more.split() if word.startswith("--data=")).removeprefix("--data=")
    assert pd.read_parquet(tmp_path / path).n.tolist() == [7, 8]


def test_a_column_that_is_not_there_is_an_error_that_says_which_are(tmp_path):
    record, store = run(tmp_path, [{"not_null": "m"}])
    assert (record.exit_code, store) == (2, [])
    assert "'m', which is not there" in record.error
    assert "columns: n, s" in record.error


def test_how_fresh_rows_are_is_told_from_the_runs_date(tmp_path):
    loader = LOADER.replace('"s": "x"', '"t": pd.Timestamp("2020-10-31")')
    assert run(tmp_path, [{"freshness": {"column": "t", "max_age": "1 day"}}], loader=loader)[0].exit_code == 0


EMPTY = """
@data_loader
def load(**kwargs):
    yield from ()
"""


def test_a_stream_without_rows_breaks_only_what_wants_some(tmp_path):
    record, store = run(tmp_path, [{"not_null": "n"}, {"row_count": {"min": 1}}], loader=EMPTY)
    assert (record.exit_code, store) == (3, [])
    assert [check.passed for check in record.block("load").checks] == [True, False]


def test_several_outputs_are_an_error_since_a_rule_is_about_one_frame(tmp_path):
    two = "@data_loader\ndef load(**kwargs):\n    return [1, 2], 3\n"
    record, _ = run(tmp_path, [{"not_null": "n"}], stream=False, loader=two)
    assert (record.exit_code, record.block("load").status) == (1, "failed")
    assert "about the rows of one frame, and returned list, int" in record.error


def test_each_child_of_a_dynamic_block_is_checked_by_itself(tmp_path):
    blocks = [
        block("items", "data_loader", configuration={"dynamic": True}),
        block("each", "transformer", "items", configuration={"checks": [{"row_count": 1, "severity": "warn"}]}),
    ]
    code = {
        "items": "@data_loader\ndef items():\n    return [[1, 2]]\n",
        "each": "import pandas as pd\n@transformer\ndef each(n, **kw):\n    return pd.DataFrame({'n': [n] * n})\n",
    }
    project = write_project(tmp_path, blocks, code)
    with importable(project.root):
        record = Run(project.pipeline("p")).execute()
    assert record.error is None
    assert [child.checks[0].passed for child in record.block("each").children] == [True, False]


def test_what_is_wrong_in_the_checks_is_told_with_file_and_line_before_anything_runs(tmp_path):
    write_project(tmp_path, [block("load", "data_loader")], {"load": LOADER})
    path = tmp_path / "pipelines/p/metadata.yaml"
    path.write_text(
        "uuid: p\ntype: python\nblocks:\n- uuid: load\n  type: data_loader\n  configuration:\n    checks:\n"
        "    - not_nul: n\n    - relationships: {column: n, to: data/zone.csv, field: id}\n"
        "    - relationships: {column: n, to: zones.csv, field: id}\n"
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data/zones.csv").write_text("id\n1\n")
    from mage_project.project import Project

    _, problems = Project(tmp_path).inspect("p")
    assert [(problem.line, problem.message.split(": ")[-1]) for problem in problems] == [
        (8, "unknown key 'not_nul' of a check. Did you mean 'not_null'?"),
        (9, "there is no data/zone.csv. Did you mean 'data/zones.csv'?"),
        (10, "there is no zones.csv."),
    ]


def test_sql_that_is_none_is_told_before_anything_runs(tmp_path):
    checks = [{"expression": "n >"}, {"not_null": "n", "where": "n ="}, {"expression": "n > 1"}]
    project = write_project(
        tmp_path, [block("load", "data_loader", configuration={"checks": checks})], {"load": LOADER}
    )
    assert [problem.message.split(": Parser")[0] for problem in problems_of(project, "p")] == [
        "block 'load': expression: 'n >' is no condition on a row",
        "block 'load': 'n =' is no condition on a row",
    ]

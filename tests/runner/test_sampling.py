"""A run on the first rows of every loader."""

from __future__ import annotations

import pytest

from mage_project.errors import UsageError
from mage_project.history.facts import variables_key
from mage_project.history.metrics import as_text
from mage_project.history.runs import newest
from mage_project.history.stores import store_of
from mage_project.runner.kept import Kept
from mage_project.runner.limits import Limits
from mage_project.runner.reporting import Silent
from mage_project.runner.running import run_pipeline
from mage_project.runner.single import run_block
from tests.projects import block, write_project

STREAM = """
import pandas as pd, pathlib

@data_loader
def load(stream=False, **kwargs):
    def batches():
        for start in range(0, 1000, 10):
            with pathlib.Path(kwargs["repo_path"], "read").open("a") as log:
                log.write(f"{start} ")
            yield pd.DataFrame({"n": range(start, start + 10)})
    return batches() if stream else pd.concat(batches())

@test
def test_each(batch, *args):
    assert (batch.n >= 0).all()

@test
def test_all_of_them(batches, stream, *args):
    assert sum(map(len, batches)) == 1000
"""
WHOLE = "import pandas as pd\n\n@data_loader\ndef load(**kwargs):\n    return pd.DataFrame({'n': range(1000)})\n"
DOUBLE = "@transformer\ndef double(df, *args, **kwargs):\n    return df.assign(n=df.n * 2)\n"
EXPORT = """
import pathlib

@data_exporter
def export(df, **kwargs):
    list(df)
    pathlib.Path(kwargs["repo_path"], "written").touch()
"""


class Heard(Silent):
    def __init__(self):
        self.lines = []

    def said(self, _block, line):
        self.lines.append(line)


def tried(root, load, rows=25, **configuration):
    blocks = [
        block("load", "data_loader", configuration=configuration),
        block("double", "transformer", "load", configuration=configuration),
        block("export", "data_exporter", "double", configuration=configuration),
    ]
    project = write_project(root, blocks, {"load": load, "double": DOUBLE, "export": EXPORT})
    heard = Heard()
    return project, run_pipeline(project, "p", reporter=heard, limits=Limits(sample_rows=rows)), heard


def test_a_stream_is_cut_and_the_rest_is_not_read(tmp_path):
    _, record, _ = tried(tmp_path, STREAM, stream=True)
    assert record.status == "sampled", record.error
    assert record.block("double").rows_out == 25
    assert (tmp_path / "read").read_text() == "0 10 20 "


@pytest.mark.parametrize("rows", [1, 1000, 5000])
def test_a_frame_is_cut(tmp_path, rows):
    _, record, _ = tried(tmp_path, WHOLE, rows)
    assert record.block("load").rows_out == record.block("double").rows_out == min(rows, 1000)


def test_a_loader_in_a_process_of_its_own_is_cut_as_well(tmp_path):
    blocks = [block("load", "data_loader", executor_type="process")]
    project = write_project(tmp_path, blocks, {"load": WHOLE})
    record = run_pipeline(project, "p", limits=Limits(sample_rows=25))
    assert (record.status, record.blocks[0].rows_out) == ("sampled", 25)


def test_nothing_is_written_and_the_run_says_so(tmp_path):
    _, record, heard = tried(tmp_path, WHOLE)
    assert record.block("export").status == "skipped"
    assert not (tmp_path / "written").exists()
    assert any("export would write" in line for line in heard.lines)


def test_only_tests_of_each_batch_are_run(tmp_path):
    _, record, _ = tried(tmp_path, STREAM, stream=True)
    assert [test.name for test in record.block("load").tests if test.ran] == ["test_each"]


def test_nobody_takes_a_sample_for_a_run_of_the_whole(tmp_path):
    project, _, _ = tried(tmp_path, WHOLE)
    assert not Kept(project.pipeline("p")).exists()
    [run] = newest(store_of(tmp_path, print), limit=1)
    assert (run.status, run.exit_code) == ("sampled", 0)
    assert run.variables_key != variables_key({})  # by which backfills and schedules find the run of an interval
    assert "mage_project_last_run_success{" not in as_text(store_of(tmp_path, print))


def test_one_loader_is_tried_without_reading_on(tmp_path):
    project, _, _ = tried(tmp_path, STREAM, stream=True)
    (tmp_path / "read").unlink()
    record, output = run_block(project, "load", {}, limits=Limits(sample_rows=15))
    assert (record.status, list(output.n)) == ("sampled", list(range(15)))
    assert (tmp_path / "read").read_text() == "0 10 "


def test_one_block_is_tried_on_the_first_rows_of_its_inputs(tmp_path):
    project, _, _ = tried(tmp_path, WHOLE)
    run_pipeline(project, "p")
    _, output = run_block(project, "double", {}, limits=Limits(sample_rows=3))
    assert list(output.n) == [0, 2, 4]


def test_one_exporter_is_not_tried_on_a_sample(tmp_path):
    project, _, _ = tried(tmp_path, WHOLE)
    with pytest.raises(UsageError, match="would write a part for the whole"):
        run_block(project, "export", {}, limits=Limits(sample_rows=3))

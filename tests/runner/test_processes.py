"""Blocks in processes of their own: what they are given and give, and how they can end."""

from __future__ import annotations

import os
import signal
import threading

import pandas as pd
import pyarrow as pa
import pytest

from mage_project.runner import parcels, processes
from mage_project.runner.interrupts import Interrupts
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from mage_project.runner.spilling import Nameless
from tests.projects import block, write_pipeline, write_project
from tests.runner.test_budget import FRAMES

ALONE = {"executor_type": "process"}


class Told:
    """Keeps what blocks say."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, _name):
        return lambda *_given: None

    def said(self, block, line):
        self.lines.append((block, line))


def run(tmp_path, blocks, code, given=None, **options):
    project = write_project(tmp_path, blocks, code)
    with importable(project.root):
        return Run(project.pipeline("p"), given or {}, retry_delays_s=(), **options).execute()


@pytest.mark.parametrize("value", [*FRAMES.values(), {"n": [1, (2,)]}, None], ids=[*FRAMES.keys(), "data", "nothing"])
def test_a_value_arrives_as_it_was(tmp_path, value):
    file = Nameless(tmp_path)
    parcels.pack([value, {"again": value}, pa.table({"n": [1]})], file.file)
    first, second, table = parcels.unpack(file.file)
    assert table.equals(pa.table({"n": [1]}))
    for arrived in (first, second["again"]):
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(arrived, value, check_freq=False)
        else:
            assert arrived == value


LOAD = """
import os
import warnings
import pandas as pd
@data_loader
def load(*args, **kwargs):
    os.environ["LEFT_BY_A_BLOCK"] = "there"
    print("loading", kwargs["month"])
    kwargs["logger"].warning("careful")
    warnings.warn("the file is old")
    frame = pd.DataFrame({"pid": [os.getpid()] * 3}).astype("int64[pyarrow]")
    frame.attrs["dropped"] = {"zero": 2}
    return frame
@test
def check(frame, *args):
    assert len(frame) == 3
    return "three rows"
"""


def test_it_is_as_in_the_run_but_for_the_process(tmp_path):
    told = Told()
    more = "@transformer\ndef more(frame, *args, **kwargs):\n    frame['n'] = 1\n    return frame\n"
    blocks = [block("a", "data_loader", **ALONE), block("b", "transformer", "a", **ALONE)]
    record = run(tmp_path, blocks, {"a": LOAD, "b": more}, {"month": "2020-10"}, reporter=told)
    a, b = record.blocks
    assert (record.error, a.rows_out, b.rows_in, b.rows_out, a.dropped) == (None, 3, 3, 3, {"zero": {"rows": 2}})
    assert [(test.name, test.message) for test in a.tests] == [("check", "three rows")]
    assert told.lines == [("a", "loading 2020-10"), ("a", "careful"), ("a", "warning: the file is old")]
    assert record.warnings == ["the file is old"]
    assert min(a.peak_rss_bytes, b.peak_rss_bytes) > 1_000_000
    assert (a.beside, b.beside) == ([], [])


def test_it_leaves_nothing_in_the_process_of_the_run(tmp_path):
    look = """
    import os
    @transformer
    def look(frame, *args):
        return {"pid": int(frame.pid[0]), "left": os.environ.get("LEFT_BY_A_BLOCK")}
    """
    blocks = [block("a", "data_loader", **ALONE), block("b", "transformer", "a")]
    project = write_project(tmp_path, blocks, {"a": LOAD, "b": look})
    with importable(project.root):
        started = Run(project.pipeline("p"), {"month": ""}, retry_delays_s=())
        started.execute()
    assert started.output["pid"] != os.getpid()
    assert started.output["left"] is None


@pytest.mark.parametrize(
    ("does", "said"),
    [
        pytest.param("os._exit(3)", "the process of block 'a' ended with exit code 3 before the block had", id="exit"),
        pytest.param("os.kill(os.getpid(), 9)", "was killed (SIGKILL; was memory short?)", id="killed"),
        pytest.param("ctypes.string_at(0)", "was killed (SIGSEGV; a library in it has failed badly)", id="a crash"),
        pytest.param("1 / 0", "ZeroDivisionError: division by zero", id="an error"),
        pytest.param("return lambda: 1", "returned cannot be handed on from a process of its own", id="no data"),
    ],
)
def test_however_its_process_ends_only_the_block_fails(tmp_path, does, said):
    code = f"import ctypes\nimport os\n@data_loader\ndef load():\n    {does}\n"
    record = run(tmp_path, [block("a", "data_loader", **ALONE)], {"a": code})
    assert (record.exit_code, record.block("a").status) == (1, "failed")
    assert said in record.error
    assert "data_loaders/a.py:" in record.error


def test_a_failed_test_keeps_its_exit_code(tmp_path):
    code = "@data_loader\ndef load():\n    return 1\n@test\ndef check(*args):\n    assert False, 'no'\n"
    record = run(tmp_path, [block("a", "data_loader", **ALONE)], {"a": code})
    assert (record.exit_code, [test.passed for test in record.block("a").tests]) == (3, [False])


SLEEP = """
import time
@data_loader
def load(*args, **kwargs):
    print("asleep")
    time.sleep(600)
"""


def test_a_signal_to_the_run_ends_it(tmp_path):
    """It is there when it has said so."""

    class Kills(Told):
        def said(self, block, line):
            threading.Thread(target=signal.raise_signal, args=[signal.SIGTERM]).start()

    interrupts = Interrupts()
    with interrupts.listening():
        blocks = [block("a", "data_loader", **ALONE)]
        record = run(tmp_path, blocks, {"a": SLEEP}, reporter=Kills(), interrupts=interrupts)
    assert (record.exit_code, record.block("a").status) == (143, "cancelled")


COMMIT = """
import time
from mage_project.io import commits
@data_exporter
def export(*args, done, progress, **kwargs):
    def commit():
        for step in (1, 2):
            progress(step, 2, "committing")
            time.sleep(0.5)
        open(done, "w").close()
    commits.current().add(commit=commit, rollback=lambda: None)
"""


def test_a_commit_that_tells_how_it_goes_on_is_finished_when_the_run_is_stopped(tmp_path, monkeypatch):
    class Stops(Told):
        def download(self, record, done, total, what):
            if done == 1:
                threading.Thread(target=signal.raise_signal, args=[signal.SIGTERM]).start()

    monkeypatch.setattr(processes, "FAREWELL_S", 0.1)
    interrupts, done = Interrupts(), tmp_path / "done"
    with interrupts.listening():
        blocks = [block("a", "data_exporter", **ALONE)]
        record = run(tmp_path, blocks, {"a": COMMIT}, {"done": str(done)}, reporter=Stops(), interrupts=interrupts)
    assert (record.exit_code, done.exists()) == (143, True)


def test_its_timeout_ends_it(tmp_path):
    blocks = [block("a", "data_loader"), block("b", "transformer", "a", timeout=0.2, **ALONE)]
    sleep = SLEEP.replace("data_loader", "transformer")
    record = run(tmp_path, blocks, {"a": "@data_loader\ndef load():\n    return [1, 2, 3]\n", "b": sleep})
    assert "block 'b' took longer than its timeout of 0.2 s" in record.error
    assert (record.block("b").rows_in, record.block("b").seconds > 0) == (3, True)


def test_an_executor_that_is_misspelt_is_found(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader", executor_type="proces")], {"a": SLEEP})
    _, [problem] = project.inspect("p")
    assert problem.message == "unknown executor_type 'proces'. Did you mean 'process'?"


def test_an_executor_of_mages_that_is_not_here_keeps_nothing_from_running(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader", executor_type="k8s")], {"a": SLEEP})
    _, [problem] = project.inspect("p")
    assert (problem.message, problem.warning) == (
        "executor_type 'k8s' is Mage's alone: here the block runs on this machine",
        True,
    )


def test_an_executor_that_stops_mages_scheduler_is_told(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader")], {"a": SLEEP})
    write_pipeline(tmp_path, "executor_type: process\nrun_pipeline_in_one_process: true\nblocks: []\n")
    _, [problem] = project.inspect("p")
    assert problem.message.startswith("Mage's scheduler stops at a pipeline with 'executor_type: process'")
    assert (problem.line, problem.warning) == (1, True)

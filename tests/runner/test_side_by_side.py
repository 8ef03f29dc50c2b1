"""Blocks side by side: which may, what stays true for each of them, and how they are stopped."""

from __future__ import annotations

import signal
import threading

import pytest

from mage_project.runner.interrupts import Interrupts
from mage_project.runner.limits import Limits
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from tests.projects import block, write_project

LIMIT_S = 20
#: A block that goes on only when the other one is there as well.
MEET = f"""
@data_loader
def load(**kwargs):
    kwargs["barrier"].wait({LIMIT_S})
    return kwargs["block_uuid"]
"""
TWO = [block("a", "data_loader"), block("b", "data_loader")]


class Barrier(threading.Barrier):
    """One that blocks get as it is."""

    def __deepcopy__(self, memo):
        return self


def has_ended(name):
    """A function that waits for the end of the thread in which the block runs."""

    def wait():
        for thread in threading.enumerate():
            if thread.name == name:
                thread.join(LIMIT_S)

    return wait


def run(tmp_path, blocks, code, given=None, *, limits=None, interrupts=None, **options):
    project = write_project(tmp_path, blocks, code, **options)
    with importable(project.root):
        started = Run(project.pipeline("p"), given or {}, retry_delays_s=(), limits=limits, interrupts=interrupts)
        return started.execute()


def test_loaders_that_do_not_concern_each_other_run_side_by_side(tmp_path):
    record = run(tmp_path, TWO, {"a": MEET, "b": MEET}, {"barrier": Barrier(2)})
    assert record.error is None
    assert [one.beside for one in record.blocks] == [["b"], ["a"]]


def test_what_a_block_changes_in_a_variable_no_other_block_sees(tmp_path, seen):
    code = """
    @data_loader
    def load(**kwargs):
        kwargs["months"].append(kwargs["block_uuid"])
        kwargs["seen"].append(kwargs["months"])
    """
    run(tmp_path, TWO, {"a": code, "b": code}, {"seen": seen, "months": []}, limits=Limits(blocks_at_once=1))
    assert seen == [["a"], ["b"]]


def test_a_limit_of_one_runs_them_one_after_another(tmp_path, seen):
    code = """
    @data_loader
    def load(**kwargs):
        kwargs["seen"].append("in")
        kwargs["seen"].append("out")
    """
    record = run(tmp_path, TWO, {"a": code, "b": code}, {"seen": seen}, limits=Limits(blocks_at_once=1))
    assert (seen, [one.beside for one in record.blocks]) == (["in", "out", "in", "out"], [[], []])


def test_what_blocks_print_and_warn_side_by_side_is_theirs(tmp_path):
    said = []

    class Listening:
        def __getattr__(self, _name):
            return lambda *_given: None

        def said(self, block, line):
            said.append((block, line))

    code = MEET.replace("return", "print('I am', kwargs['block_uuid']); kwargs['logger'].info('still'); return")
    project = write_project(tmp_path, TWO, {"a": code, "b": code})
    with importable(project.root):
        Run(project.pipeline("p"), {"barrier": Barrier(2)}, reporter=Listening()).execute()
    assert sorted(said) == [("a", "I am a"), ("a", "still"), ("b", "I am b"), ("b", "still")]


def test_one_that_fails_lets_the_other_end_and_nothing_new_begin(tmp_path, seen):
    fails = MEET.replace("return", "raise ValueError('no') or")
    ends = MEET.replace("return", "kwargs['gate'].wait(); kwargs['seen'].append('b'); return")
    blocks = [*TWO, block("c", "transformer", "b")]
    code = {"a": fails, "b": ends, "c": "@transformer\ndef work(*args, **kwargs):\n    kwargs['seen'].append('c')\n"}
    record = run(tmp_path, blocks, code, {"barrier": Barrier(2), "seen": seen, "gate": Gate(has_ended("a"))})
    assert ([one.status for one in record.blocks], seen) == (["failed", "completed", "pending"], ["b"])
    assert "ValueError: no" in record.error


def test_both_failures_are_told_in_the_order_of_the_pipeline(tmp_path):
    fails = MEET.replace("return", "raise ValueError(kwargs['block_uuid']) or")
    record = run(tmp_path, TWO, {"a": fails, "b": fails}, {"barrier": Barrier(2)})
    first, *texts = record.error.split("\n")
    assert (first, [line for line in texts if "ValueError" in line]) == (
        "2 blocks failed",
        ["ValueError: a", "ValueError: b"],
    )


LONG = """
import time
@data_loader
def load(**kwargs):
    kwargs["barrier"].wait(20)
    while True:
        time.sleep(0.01)
"""


def test_a_block_that_takes_too_long_is_ended_and_the_one_beside_it_is_not(tmp_path):
    blocks = [block("a", "data_loader", timeout=0.5), block("b", "data_loader")]
    record = run(tmp_path, blocks, {"a": LONG, "b": MEET}, {"barrier": Barrier(2)})
    assert [one.status for one in record.blocks] == ["failed", "completed"]
    assert "block 'a' took longer than its timeout of 0.5 s" in record.error


def test_one_that_catches_the_end_and_goes_on_has_failed_and_the_one_beside_it_has_not(tmp_path):
    catches = """
    import time

    @data_loader
    def a(*args, **kwargs):
        kwargs['barrier'].wait()
        try:
            time.sleep(0.6)
        except:
            return 1
    """
    blocks = [block("a", "data_loader", timeout=0.2), block("b", "data_loader")]
    record = run(tmp_path, blocks, {"a": catches, "b": MEET}, {"barrier": Barrier(2)})
    assert [one.status for one in record.blocks] == ["failed", "completed"]


def test_a_call_that_never_comes_back_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("mage_project.runner.crew._FAREWELL_S", 0.2)
    blocks = [block("a", "data_loader", timeout=0.2), block("b", "data_loader")]
    stuck = LONG.replace("time.sleep(0.01)", "kwargs['gate'].wait()")
    gate = threading.Event()
    try:
        record = run(tmp_path, blocks, {"a": stuck, "b": MEET}, {"barrier": Barrier(2), "gate": Gate(gate.wait)})
    finally:
        gate.set()
    assert [one.status for one in record.blocks] == ["failed", "completed"]
    assert "timeout of 0.2 s" in record.error


class Gate:
    """Something to wait for, which blocks get as it is."""

    def __init__(self, wait):
        self.wait = wait

    def __deepcopy__(self, memo):
        return self


def test_a_signal_stops_all_of_them(tmp_path):
    interrupts = Interrupts()
    kill = threading.Timer(0.7, signal.raise_signal, [signal.SIGTERM])
    with interrupts.listening():
        kill.start()
        record = run(tmp_path, TWO, {"a": LONG, "b": LONG}, {"barrier": Barrier(2)}, interrupts=interrupts)
    assert (record.exit_code, [one.status for one in record.blocks]) == (143, ["cancelled", "cancelled"])
    assert "interrupted (SIGTERM): what was not finished is rolled back" in record.error


COMMITS = """
import pandas as pd
@data_exporter
def export(*args, **kwargs):
    seen, barrier = kwargs["seen"], kwargs["barrier"]
    def commit():
        barrier.wait(20)
        seen.append(kwargs["block_uuid"])
    kwargs["commit_later"](commit=commit, rollback=lambda: seen.append("rolled back"), what="a store")
"""


def test_each_block_commits_by_itself(tmp_path, seen):
    blocks = [block(name, "data_exporter", configuration={"side_by_side": True}) for name in "ab"]
    record = run(tmp_path, blocks, {"a": COMMITS, "b": COMMITS}, {"seen": seen, "barrier": Barrier(2)})
    assert (record.error, sorted(seen)) == (None, ["a", "b"])
    assert [one.written for one in record.blocks] == [["a store"], ["a store"]]


def test_a_block_that_was_stopped_commits_nothing_any_more(tmp_path, seen, monkeypatch):
    monkeypatch.setattr("mage_project.runner.crew._FAREWELL_S", 0.2)
    code = COMMITS.replace("def export(*args, **kwargs):", "def export(*args, **kwargs):\n    kwargs['gate'].wait()")
    blocks = [block("a", "data_exporter", configuration={"side_by_side": True}, timeout=0.2), block("b", "data_loader")]
    event = threading.Event()
    given = {"seen": seen, "barrier": Barrier(1), "gate": Gate(event.wait)}
    record = run(tmp_path, blocks, {"a": code, "b": MEET}, given)
    event.set()
    has_ended("a")()
    assert (record.exit_code, seen) == (1, [])


def test_warnings_stand_in_the_order_of_the_pipeline(tmp_path):
    code = """
    import time
    import warnings
    @data_loader
    def load(**kwargs):
        if kwargs['block_uuid'] == 'a':
            kwargs['barrier'].wait(20)
        warnings.warn('from ' + kwargs['block_uuid'])
        if kwargs['block_uuid'] == 'b':
            kwargs['barrier'].wait(20)
    """
    blocks = [block(name, "data_loader", configuration={"side_by_side": True}) for name in "ab"]
    record = run(tmp_path, blocks, {"a": code, "b": code}, {"barrier": Barrier(2)})
    assert record.warnings == ["from a", "from b"]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param("from mage_ai.io.postgres import Postgres", id="to Postgres"),
        pytest.param("import subprocess", id="by another program"),
        pytest.param("from helpers import export_it", id="by a module of its own"),
        pytest.param("def helper(df):\n    df.to_csv('gs://bucket/x.csv')", id="to a bucket"),
    ],
)
def test_a_check_without_upstream_waits_for_the_exporter_before_it(tmp_path, first):
    (tmp_path / "helpers.py").write_text("export_it = None\n")
    exporter = f"{first}\n@data_exporter\ndef export(*args, **kwargs):\n    pass\n"
    check = {"uuid": "check", "type": "data_loader", "language": "sql", "configuration": {"data_provider": "postgres"}}
    blocks = [block("a", "data_loader"), block("out", "data_exporter", "a"), check]
    (tmp_path / "data_loaders").mkdir()
    (tmp_path / "data_loaders/check.sql").write_text("select 1")
    project = write_project(tmp_path, blocks, {"a": MEET, "out": exporter})
    from mage_project.runner.order import needs
    from mage_project.runner.plan import units

    assert needs(units(project.pipeline("p").blocks)) == {0: set(), 1: {0}, 2: {1}}


def test_warnings_are_heard_after_blocks_that_changed_the_filters_side_by_side(tmp_path):
    mute = """
    import warnings
    @data_loader
    def load(**kwargs):
        caught = warnings.catch_warnings()
        if kwargs["block_uuid"] == "a":
            caught.__enter__()
        kwargs["barrier"].wait(20)
        if kwargs["block_uuid"] == "b":
            caught.__enter__()
            warnings.simplefilter("ignore")
        kwargs["barrier"].wait(20)
        if kwargs["block_uuid"] == "a":
            caught.__exit__(None, None, None)
        kwargs["barrier"].wait(20)
    """
    speak = "import warnings\n@transformer\ndef speak(*args):\n    warnings.warn('heard')\n"
    blocks = [block(name, "data_loader", configuration={"side_by_side": True}) for name in "ab"]
    blocks.append(block("c", "transformer", "a", "b"))
    record = run(tmp_path, blocks, {"a": mute, "b": mute, "c": speak}, {"barrier": Barrier(2)})
    assert (record.error, record.warnings) == (None, ["heard"])

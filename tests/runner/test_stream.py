"""One pass over a source: what each block is given, and that nothing is committed unless everything passed."""

from __future__ import annotations

import pytest

from mage_project.errors import StoreUnavailable
from mage_project.io import commits
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from tests.projects import block, write_project
from tests.runner.conftest import Shared

STREAM = {"configuration": {"stream": True}}
LOADER = """
import pandas as pd

@data_loader
def load(**kwargs):
    for start in (0, 3, 6):
        yield pd.DataFrame({"n": range(start, start + 3)})
"""
CLEAN = """
@transformer
def clean(frame, *args, **kwargs):
    kept = frame[frame.n % 2 == 0]
    kept.attrs["dropped"] = {"odd": len(frame) - len(kept)}
    return kept
"""
EXPORTER = """
from mage_project.io import commits

@data_exporter
def export(frames, **kwargs):
    rows = []
    commits.current().add(commit=lambda: kwargs["store"].append(rows), rollback=lambda: kwargs["undone"].append(1))
    for frame in frames:
        rows.extend(frame.n.tolist())
"""


@pytest.fixture
def stores():
    """Stand for what stores hold."""
    return {"store": Shared(), "undone": Shared()}


def run(tmp_path, blocks, code, variables, **options):
    return execute(write_project(tmp_path, blocks, code), variables, **options)


def execute(project, variables, retry_delays_s=(), **options):
    with importable(project.root):
        return Run(project.pipeline("p"), variables, retry_delays_s=retry_delays_s, **options).execute()


def line(*exporters):
    return [
        block("load", "data_loader", **STREAM),
        block("clean", "transformer", "load", **STREAM),
        *[block(name, "data_exporter", "clean", **STREAM) for name in exporters],
    ]


def test_every_exporter_gets_every_row_of_one_pass(tmp_path, stores):
    record = run(tmp_path, line("a", "b"), {"load": LOADER, "clean": CLEAN, "a": EXPORTER, "b": EXPORTER}, stores)
    assert (record.error, stores["store"]) == (None, [[0, 2, 4, 6, 8]] * 2)


def test_rows_and_reasons_are_counted(tmp_path, stores):
    record = run(tmp_path, line("a"), {"load": LOADER, "clean": CLEAN, "a": EXPORTER}, stores)
    clean = record.block("clean")
    assert (clean.rows_in, clean.rows_out, clean.dropped) == (9, 5, {"odd": {"rows": 4}})
    assert record.block("a").rows_in == 5


def test_siblings_do_not_see_each_others_changes(tmp_path, stores):
    spoiler = EXPORTER.replace("rows.extend", "frame['n'] = -1; rows.extend")
    run(tmp_path, line("a", "b"), {"load": LOADER, "clean": CLEAN, "a": spoiler, "b": EXPORTER}, stores)
    assert sorted(map(tuple, stores["store"])) == [(-1,) * 5, (0, 2, 4, 6, 8)]


FAILURES = {
    "a test of a batch": ("clean", CLEAN + "\n@test\ndef check(frame, *args):\n    assert (frame.n < 8).all()\n", 3),
    "a test of the whole": (
        "load",
        LOADER + "\n@test\ndef check(frames, *args, stream=False):\n    assert sum(map(len, frames)) == 8, 'lost'\n",
        3,
    ),
    "the loader at its end": ("load", LOADER + "    raise ValueError('the file ends too early')\n", 1),
    "the transformer": ("clean", CLEAN.replace("kept =", "assert_is_not_there\n    kept ="), 1),
    "a preprocesser, which cannot stream": ("clean", CLEAN + "\n@preprocesser\ndef prepare(frame):\n    pass\n", 1),
    "an exporter at its end": ("b", EXPORTER + "    raise OSError('no space left')\n", 1),
    "an exporter at once": ("b", EXPORTER.replace("rows = []", "raise OSError('refused')"), 1),
    "an exporter that reads too little": ("b", EXPORTER + "        break\n", 1),
    "a test of an exporter": ("b", EXPORTER + "\n@test\ndef check(*args):\n    assert False, 'not there'\n", 3),
    "a transformer that returns nothing": ("clean", CLEAN.replace("return kept", "pass"), 1),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_nothing_is_committed_when_it_fails(tmp_path, stores, failure):
    uuid, source, exit_code = FAILURES[failure]
    code = {"load": LOADER, "clean": CLEAN, "a": EXPORTER, "b": EXPORTER, uuid: source}
    record = run(tmp_path, line("a", "b"), code, stores)
    assert (record.exit_code, stores["store"]) == (exit_code, [])
    assert [b.uuid for b in record.blocks if b.status == "failed"] == [uuid]
    assert uuid in record.error


AT_ONCE = """
@data_exporter
def export(frames, **kwargs):
    kwargs["store"].append(sum(map(len, frames)))
"""
SLOW = """
import time
from mage_project.io import commits

@data_exporter
def export(frames, **kwargs):
    time.sleep(0.3)
    commits.current().add(prepare=kwargs["swap"], commit=lambda: None, rollback=lambda: None)
    list(frames)
"""


def test_a_store_that_commits_at_once_waits_for_what_can_fail_in_the_others(tmp_path, stores):
    def swap():
        raise StoreUnavailable("the table is in use")

    code = {"load": LOADER, "clean": CLEAN, "a": AT_ONCE, "b": SLOW}
    record = run(tmp_path, line("a", "b"), code, {**stores, "swap": swap})
    assert "the table is in use" in record.error
    assert stores["store"] == []


def test_a_failure_says_which_exporters_were_rolled_back(tmp_path, stores):
    code = {"load": LOADER, "clean": CLEAN, "a": EXPORTER, "b": EXPORTER + "    raise ValueError('refused')\n"}
    record = run(tmp_path, line("a", "b"), code, stores)
    assert "refused\n" in record.error
    assert "state: rolled back, as it was before: a, b" in record.error


def test_a_failed_commit_says_what_was_committed_before(tmp_path, stores):
    failing = EXPORTER.replace('lambda: kwargs["store"].append(rows)', "lambda: 1 / 0")
    code = {"load": LOADER, "clean": CLEAN, "a": EXPORTER, "b": failing, "c": EXPORTER}
    record = run(tmp_path, line("a", "b", "c"), code, stores)
    assert "state: rolled back, as it was before: c\n  state: committed before it failed: a" in record.error


def test_a_test_of_the_whole_stream_speaks(tmp_path, stores):
    loader = LOADER + "\n@test\ndef check(frames, stream=False):\n    return f'{sum(map(len, frames))} rows'\n"
    record = run(tmp_path, line("a"), {"load": loader, "clean": CLEAN, "a": EXPORTER}, stores)
    assert [(t.passed, t.message) for t in record.block("load").tests] == [(True, "9 rows")]


def test_several_tests_of_one_name_all_run(tmp_path, stores):
    tests = "".join(f"\n@test\ndef check(frame, *args):\n    assert 'n' in frame, {n}\n" for n in range(3))
    record = run(tmp_path, line("a"), {"load": LOADER, "clean": CLEAN + tests, "a": EXPORTER}, stores)
    assert [t.name for t in record.block("clean").tests] == ["check"] * 3


def test_a_block_without_the_flag_gets_the_whole_frame(tmp_path, stores):
    blocks = [*line("a"), block("count", "transformer", "clean")]
    counting = "@transformer\ndef count(frame, **kwargs):\n    assert 'stream' not in kwargs\n    return len(frame)\n"
    record = run(tmp_path, blocks, {"load": LOADER, "clean": CLEAN, "a": EXPORTER, "count": counting}, stores)
    assert (record.error, record.block("count").rows_in) == (None, 5)


def test_a_failure_that_may_pass_is_tried_again_from_the_start(tmp_path, stores):
    tries = Shared()
    flaky = EXPORTER + "    kwargs['tries'].append(1)\n    if len(kwargs['tries']) < 2: raise kwargs['error']\n"
    variables = {**stores, "tries": tries, "error": StoreUnavailable("the connection was lost")}
    project = write_project(tmp_path, line("a"), {"load": LOADER, "clean": CLEAN, "a": flaky})
    record = execute(project, variables, retry_delays_s=(0.0,))
    assert (record.error, len(tries), stores["store"]) == (None, 2, [[0, 2, 4, 6, 8]])
    assert record.block("load").rows_out == 9
    assert any("trying again" in warning for warning in record.warnings)


def test_a_slow_reader_bounds_what_waits(tmp_path):
    from mage_project.runner.channel import Channel

    channel = Channel(limit=2)
    channel.put(1)
    channel.put(2)
    channel.end()
    assert list(channel) == [1, 2]
    assert channel.exhausted


def test_commits_after_a_failed_one_are_rolled_back():
    done: list[str] = []

    def fail() -> None:
        raise StoreUnavailable("gone")

    pending = commits.Commits()
    pending.add(commit=fail, rollback=lambda: None)
    pending.add(commit=lambda: done.append("committed"), rollback=lambda: done.append("rolled back"))
    with pytest.raises(StoreUnavailable):
        pending.commit_all()
    assert done == ["rolled back"]


def test_what_a_batch_says_of_its_origin_stays_with_it(tmp_path, stores):
    loader = (
        LOADER.replace("yield pd.DataFrame", "frame = pd.DataFrame")
        + "        frame.attrs['file'] = start\n        yield frame\n"
    )
    rebuild = (
        "import pandas as pd\n@transformer\ndef clean(frame, **kwargs):\n    return pd.DataFrame(frame.to_dict())\n"
    )
    rebuild += "\n@test\ndef check(frame, *args):\n    assert frame.attrs['file'] in (0, 3, 6)\n"
    record = run(tmp_path, line("a"), {"load": loader, "clean": rebuild, "a": EXPORTER}, stores)
    assert (record.error, len(stores["store"])) == (None, 1)


def test_a_test_that_never_ran_is_not_said_to_have_passed(tmp_path, stores):
    broken = LOADER.replace("for start", "raise OSError('no such file')\n    for start")
    clean = CLEAN + "\n@test\ndef check(frame, *args):\n    assert True\n"
    record = run(tmp_path, line("a"), {"load": broken, "clean": clean, "a": EXPORTER}, stores)
    assert record.block("clean").as_dict()["tests"] == []

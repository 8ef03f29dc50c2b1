"""A run that may hold so much memory: what waits on disk, how it comes back, and how a block that needs more ends."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mage_project.runner import budget, memory, spilling
from mage_project.runner.limits import Limits
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from tests.projects import block, write_project

MOMENTS = pd.to_datetime(["2020-01-01 10:00", None]).as_unit("us")
FRAMES = {
    "numbers": pd.DataFrame({"a": [1, 2], "b": [0.5, None], "c": [True, False], "d": np.array([1, 2], dtype="int8")}),
    "Arrow's types": pd.DataFrame({"a": pd.array([1, None], dtype="int64[pyarrow]"), "b": ["x", None]}).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "texts": pd.DataFrame({"a": ["x", None]}),
    "times": pd.DataFrame({"a": MOMENTS, "b": MOMENTS.tz_localize("America/New_York"), "c": MOMENTS - MOMENTS[0]}),
    "objects": pd.DataFrame({"a": [{"n": 1}, [2]], "b": np.array(["x", 7], dtype=object)}),
    "an index": pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "a part of an index": pd.DataFrame({"a": [1, 2, 3]})[1:],
    "names that are numbers": pd.DataFrame({0: [1], 1: [2]}),
    "one name twice": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "categories": pd.DataFrame({"a": pd.Categorical(["x", "y"], categories=["y", "x"], ordered=True)}),
    "periods": pd.DataFrame({"a": pd.period_range("2020-01", periods=2, freq="M")}),
    "sparse": pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
    "small floats": pd.DataFrame({"a": np.array([1, 2], dtype="float16")}),
    "complex": pd.DataFrame({"a": np.array([1j, 2])}),
    "no rows": pd.DataFrame({"a": pd.array([], dtype="string[pyarrow]")}),
    "lists of Arrow's": pd.DataFrame({"a": pd.array([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int8())))}),
    "no columns": pd.DataFrame(),
}
STREAM = {"configuration": {"stream": True}}
LOAD = """
import pandas as pd
@data_loader
def load(*args, **kwargs):
    for start in range(0, 3000, 1000):
        yield pd.DataFrame({"n": range(start, start + 1000), "t": ["x"] * 1000}).astype({"n": "int64[pyarrow]"})
"""
LOOK = "@transformer\ndef look(frame, **kwargs):\n    kwargs['seen'].append((frame.n.tolist(), str(frame.dtypes.n)))\n"


def run(tmp_path, blocks, code, given, memory_bytes=20_000_000_000):
    project = write_project(tmp_path, blocks, code)
    with importable(project.root):
        return Run(project.pipeline("p"), given, retry_delays_s=(), limits=Limits(memory_bytes=memory_bytes)).execute()


@pytest.fixture
def tight(monkeypatch):
    """Nothing may wait in memory."""
    monkeypatch.setattr(budget, "SHARE", 0)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_a_frame_comes_back_from_disk_as_it_was(tmp_path, frame):
    frame.attrs = {"source": "here"}
    back = spilling.spill(frame, tmp_path).load()
    pd.testing.assert_frame_equal(back, frame, check_freq=False)
    assert back.attrs == {"source": "here"}


def test_columns_of_arrows_types_are_mapped_and_not_read(tmp_path):
    frame = pd.DataFrame({"n": pd.array(range(1_000_000), dtype="int64[pyarrow]")})
    spilled = spilling.spill(frame, tmp_path)
    before = pa.total_allocated_bytes()
    back = spilled.load()
    assert pa.total_allocated_bytes() - before < 100_000
    assert back["n"].sum() == frame["n"].sum()


def test_a_gathered_stream_waits_on_disk_and_leaves_nothing_there(tmp_path, seen, tight):
    blocks = [block("a", "data_loader", **STREAM), block("b", "transformer", "a")]
    record = run(tmp_path, blocks, {"a": LOAD, "b": LOOK}, {"seen": seen})
    assert (record.error, seen) == (None, [(list(range(3000)), "int64[pyarrow]")])
    assert record.block("a").spilled_bytes > 3000 * 8
    assert list((tmp_path / ".mage_project/spilled").iterdir()) == []


def test_batches_of_other_types_are_put_together_as_without_a_budget(tmp_path, seen, tight):
    load = """
    import pandas as pd
    @data_loader
    def load(*args, **kwargs):
        for first in (1, 1.5, 2):
            yield pd.DataFrame({"n": [first]})
    """
    blocks = [block("a", "data_loader", **STREAM), block("b", "transformer", "a")]
    record = run(tmp_path, blocks, {"a": load, "b": LOOK}, {"seen": seen})
    assert (record.error, seen) == (None, [([1.0, 1.5, 2.0], "float64")])


def test_readers_of_what_waited_on_disk_do_not_see_each_others_changes(tmp_path, seen, tight):
    load = "import pandas as pd\n@data_loader\ndef load():\n    return pd.DataFrame({'n': [1], 'm': [2]})\n"
    spoil = "@data_exporter\ndef export(frame, **kwargs):\n    frame.loc[0, 'n'] = 2\n    frame['m'] += 1\n"
    look = "@data_exporter\ndef export(frame, **kwargs):\n    kwargs['seen'].append(frame.iloc[0].tolist())\n"
    blocks = [block("a", "data_loader"), block("b", "data_exporter", "a"), block("c", "data_exporter", "a")]
    record = run(tmp_path, blocks, {"a": load, "b": spoil, "c": look}, {"seen": seen})
    assert (record.error, seen) == (None, [[1, 2]])


def test_what_cannot_be_put_on_disk_stays_in_memory_and_a_warning_says_so(tmp_path, seen, tight):
    load = "import pandas as pd\n@data_loader\ndef load():\n    return pd.DataFrame({'n': [lambda: 7]})\n"
    call = "@transformer\ndef call(frame, **kwargs):\n    kwargs['seen'].append(frame.n[0]())\n"
    blocks = [block("a", "data_loader"), block("b", "transformer", "a")]
    record = run(tmp_path, blocks, {"a": load, "b": call}, {"seen": seen})
    assert (record.error, seen) == (None, [7])
    assert "the output of 'a' stays in memory, for it cannot be put on disk" in record.warnings[0]


def test_a_full_disk_costs_memory_and_not_the_run(tmp_path, seen, tight):
    (tmp_path / ".mage_project").mkdir()
    (tmp_path / ".mage_project/spilled").write_text("a file where the folder should be")
    blocks = [block("a", "data_loader", **STREAM), block("b", "transformer", "a")]
    record = run(tmp_path, blocks, {"a": LOAD, "b": LOOK}, {"seen": seen})
    assert (record.error, len(seen[0][0]), len(record.warnings)) == (None, 3000, 1)


def test_memory_that_the_budget_does_not_have_is_refused_by_the_kernel(tmp_path):
    load = "import numpy\n@data_loader\ndef load():\n    return numpy.ones(4_000_000_000)\n"
    record = run(tmp_path, [block("a", "data_loader")], {"a": load}, {}, memory_bytes=4_000_000_000)
    assert record.block("a").status == "failed"
    assert "block 'a' needed more memory than the run may have: it was to stay within 4,000 MB" in record.error
    assert "--memory" in record.error


def test_a_block_that_creeps_over_the_budget_is_ended(tmp_path):
    limit = memory.figures()["RssAnon"] + 60_000_000
    load = """
    import time
    import numpy
    @data_loader
    def load():
        kept = []
        for _ in range(2000):
            kept.append(numpy.ones(100_000))
            time.sleep(0.001)
    """
    record = run(tmp_path, [block("a", "data_loader")], {"a": load}, {}, memory_bytes=limit)
    assert record.block("a").status == "failed"
    assert "were held" in record.error


@pytest.mark.parametrize(("more", "code"), [(["--memory", "300MB"], 0), ([], 1)], ids=["on disk", "without a budget"])
def test_a_run_that_needs_more_than_the_machine_has_comes_through_on_disk(tmp_path, more, code):
    load = """
    import numpy
    import pandas
    import pyarrow
    @data_loader
    def load(*args, **kwargs):
        for batch in range(100):
            columns = {f"c{place}": pyarrow.array(numpy.arange(50_000) + batch) for place in range(20)}
            yield pyarrow.table(columns).to_pandas(types_mapper=pandas.ArrowDtype)
    """
    add = "@transformer\ndef add(frame, *args, **kwargs):\n    return {'sum': int(frame['c0'].sum())}\n"
    blocks = [block("a", "data_loader", **STREAM), block("b", "transformer", "a")]
    write_project(tmp_path, blocks, {"a": load, "b": add})
    limit = 700_000_000
    done = subprocess.run(
        [sys.executable, "-m", "mage_project", "run", "p", "--json", *more],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    assert done.returncode == code, done.stderr
    assert (json.loads(done.stdout)["blocks"][0]["spilled_bytes"] > 700_000_000) is (code == 0)

import sys
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mage_project.runner import memory, values
from mage_project.standins.old_pandas import frames


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(pd.DataFrame({"n": [1, 2]}), id="numpy frame"),
        pytest.param(pd.DataFrame({"n": pd.array([1, 2], dtype=pd.ArrowDtype(pa.int64()))}), id="arrow frame"),
    ],
)
def test_a_readers_changes_stay_its_own(original):
    mine = values.for_reader(original)
    mine.loc[0, "n"] = 99
    mine["new"] = 1
    assert original.n.tolist() == [1, 2]
    assert list(original.columns) == ["n"]


def test_what_lies_in_the_cells_is_copied_too():
    original = pd.DataFrame({"tags": [["a"], ["b"]]})
    values.for_reader(original).tags[0].append("spoilt")
    assert original.tags[0] == ["a"]


def test_cells_far_down_and_arrays_are_copied_as_well():
    original = pd.DataFrame({"tags": [None] * 200 + [[1]], "points": [np.zeros(2)] * 201})
    mine = values.for_reader(original)
    mine.tags[200].append(99)
    mine.points[0][0] = 7
    assert original.tags[200] == [1]
    assert original.points[0].tolist() == [0, 0]


def test_plain_values_are_copied_and_uncopyable_ones_shared(tmp_path):
    original = {"a": [1]}
    values.for_reader(original)["a"].append(2)
    assert original == {"a": [1]}
    with (tmp_path / "file").open("w") as file:
        assert values.for_reader(file) is file


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (None, None),
        ("text", None),
        ({"a": 1}, None),
        ([1, 2], 2),
        (pd.DataFrame({"n": [1]}), 1),
        (pa.table({"n": [1]}), 1),
    ],
)
def test_rows_are_counted_where_there_are_rows(value, count):
    assert values.rows(value) == count


def test_gathered_batches_are_one_frame_with_an_index_of_its_own():
    whole = values.gathered([pd.DataFrame({"n": [1]}), pd.DataFrame({"n": [2]})])
    assert whole.n.tolist() == [1, 2]
    assert whole.index.tolist() == [0, 1]


def test_reasons_are_taken_off_the_frame():
    frame = pd.DataFrame({"n": [1]})
    frame.attrs["dropped"] = {"odd": 3}
    frame.attrs["changed"] = {"rounded": {"rows": 2, "dollars": 0.5, "by": "hand"}}
    assert values.take_explanation(frame) == {
        "dropped": {"odd": {"rows": 3}},
        "changed": {"rounded": {"rows": 2, "dollars": 0.5}},
    }
    assert frame.attrs == {}
    assert values.take_explanation(frame) == values.take_explanation(None) == {"dropped": {}, "changed": {}}


def test_a_library_that_a_block_beside_it_imports_just_now_is_not_asked(monkeypatch):
    for name in ("pandas", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert (values.is_frame("help"), frames.is_frame("help"), frames.is_series("help")) == (False, False, False)
    memory.give_back()

"""Blocks that run once for each item of a dynamic block."""

from __future__ import annotations

import pytest

from mage_project.errors import StoreUnavailable
from mage_project.project import Block
from mage_project.runner.dynamic import Children, calls, spawned
from mage_project.runner.limits import Limits
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from mage_project.runner.single import run_block
from tests.projects import block, write_project
from tests.runner.test_side_by_side import Barrier

DYNAMIC = {"configuration": {"dynamic": True}}
REDUCE = {"configuration": {"reduce_output": True}}
LINE = [block("a", "data_loader", **DYNAMIC), block("b", "transformer", "a", **REDUCE), block("c", "custom", "b")]
ITEMS = "@data_loader\ndef load():\n    return [[1, 2, 3], [{'block_uuid': 'one'}]]\n"
TENTH = "@transformer\ndef tenth(n, **kwargs):\n    return n / 10\n"
END = "@custom\ndef end(given, **kwargs):\n    kwargs['seen'].append(given)\n"


def run(tmp_path, code, blocks=LINE, *, limits=None, **given):
    project = write_project(tmp_path, blocks, code)
    with importable(project.root):
        return Run(project.pipeline("p"), given, retry_delays_s=(0.0,), limits=limits).execute()


def make(uuid: str, *upstream: str, **configuration: bool) -> Block:
    return Block(uuid=uuid, type="transformer", upstream=upstream, configuration=configuration)


def test_children_of_children_run_as_often_until_one_reduces():
    blocks = [make("d", "c"), make("c", "b", reduce_output=True), make("b", "a"), make("a", dynamic=True)]
    assert spawned(blocks) == {"b", "c"}


def test_every_combination_of_several_inputs_runs_the_last_one_fastest():
    dynamic = [make("a", dynamic=True), make("b"), make("c", dynamic=True)]
    found = calls(dynamic, [[[1, 2]], "b", [["x", "y"]]], many=True)
    assert [call.inputs for call in found] == [[1, "b", "x"], [1, "b", "y"], [2, "b", "x"], [2, "b", "y"]]
    assert [call.index for call in found] == [0, 1, 2, 3]


def test_no_items_are_no_runs():
    assert calls([make("a", dynamic=True)], [[[], []]], many=True) == []
    assert calls([make("b", reduce_output=True)], [Children(outputs=[])], many=False)[0].inputs == [[]]


def test_one_row_stands_for_all_runs_of_a_block(tmp_path, seen):
    record = run(tmp_path, {"a": ITEMS, "b": TENTH, "c": END}, seen=seen)
    assert (record.error, seen) == (None, [[0.1, 0.2, 0.3]])
    children = record.block("b").as_dict()["children"]
    assert [(child["uuid"], child["status"]) for child in children] == [
        ("b:one", "completed"),
        ("b:1", "completed"),
        ("b:2", "completed"),
    ]


def test_the_error_of_a_child_names_it(tmp_path, seen):
    record = run(tmp_path, {"a": ITEMS, "b": TENTH.replace("n / 10", "1 / (n - 2)"), "c": END}, seen=seen)
    assert "block 'b:1'" in record.error
    assert [each.status for each in record.blocks] == ["completed", "failed", "pending"]


def test_tests_of_a_child_count_once_for_all_of_its_runs(tmp_path, seen):
    check = "\n@test\ndef check(tenth, **kwargs):\n    assert kwargs['dynamic_block_index'] < 2, 'the third'\n"
    record = run(tmp_path, {"a": ITEMS, "b": TENTH + check, "c": END}, seen=seen)
    assert record.exit_code == 3
    assert [(test.name, test.passed, test.message) for test in record.block("b").tests] == [
        ("check", False, "the third")
    ]


def test_only_the_child_that_failed_is_tried_again(tmp_path, seen):
    flaky = "@transformer\ndef flaky(n, **kwargs):\n    kwargs['seen'].append(n)\n"
    flaky += "    if kwargs['seen'].count(2) == n - 1 == 1:\n        raise kwargs['error']\n"
    end = "@custom\ndef end(given):\n    pass\n"
    record = run(tmp_path, {"a": ITEMS, "b": flaky, "c": end}, seen=seen, error=StoreUnavailable("gone"))
    assert (record.error, sorted(seen)) == (None, [1, 2, 2, 3])


@pytest.mark.parametrize(
    "returned",
    [
        pytest.param("[1, 2, 3]", id="the items alone"),
        pytest.param("{'a': 1}", id="a dict"),
        pytest.param("[[1], [2]]", id="metadata that are no dicts"),
        pytest.param("[[1, 2], {'x': 1}]", id="one metadata for all"),
    ],
)
def test_what_are_no_items_is_an_error_that_says_what_is_wanted(tmp_path, seen, returned):
    loader = f"@data_loader\ndef load():\n    return {returned}\n"
    record = run(tmp_path, {"a": loader, "b": TENTH, "c": END}, seen=seen)
    assert "the dynamic block 'a' returned no items and metadata" in record.error
    assert "return [[item, ...], [metadata, ...]]" in record.error
    assert [each.status for each in record.blocks] == ["failed", "pending", "pending"]


def test_a_dynamic_child_does_not_stream(tmp_path, seen):
    blocks = [LINE[0], block("b", "transformer", "a", configuration={"stream": True, "reduce_output": True}), LINE[2]]
    record = run(tmp_path, {"a": ITEMS, "b": TENTH, "c": END}, blocks, seen=seen)
    assert (record.error, seen) == (None, [[0.1, 0.2, 0.3]])


def test_one_block_is_tried_on_the_first_item(tmp_path, seen):
    assert run(tmp_path, {"a": ITEMS, "b": TENTH, "c": "@custom\ndef end(given):\n    return given\n"}).error is None
    project = write_project(tmp_path, LINE, {})
    assert run_block(project, "b", {})[1] == 0.1
    assert run_block(project, "c", {})[1] == [0.1, 0.2, 0.3]


#: A child that goes on only when the other one is there as well.
MEET = "@transformer\ndef meet(n, **kwargs):\n    kwargs['barrier'].wait(20)\n    return n\n"
PAIR = "@data_loader\ndef load():\n    return [[1, 2], []]\n"


def test_children_run_side_by_side_where_their_file_shows_that_they_may_and_keep_their_order(tmp_path, seen):
    slower = MEET.replace("return n", "import time\n    time.sleep(0.1 * (n == 1))\n    return n")
    record = run(tmp_path, {"a": PAIR, "b": slower, "c": END}, seen=seen, barrier=Barrier(2))
    assert (record.error, seen, record.block("b").beside) == (None, [[1, 2]], [])


@pytest.mark.parametrize("reason", ["context", "limit"])
def test_children_that_may_concern_each_other_run_one_after_another(tmp_path, seen, reason):
    busy = "@transformer\ndef work(n, **kwargs):\n    kwargs['seen'].append(n)\n    kwargs['seen'].append(-n)\n"
    busy += "    kwargs['context'][n] = n\n" if reason == "context" else ""
    limits = Limits(blocks_at_once=1) if reason == "limit" else None
    end = "@custom\ndef end(given):\n    pass\n"
    assert run(tmp_path, {"a": PAIR, "b": busy, "c": end}, seen=seen, limits=limits).error is None
    assert seen == [1, -1, 2, -2]


def test_every_child_that_fails_is_told_of_with_what_it_says(tmp_path, seen):
    broken = MEET.replace("return n", "raise ValueError(f'item {n}')")
    record = run(tmp_path, {"a": PAIR, "b": broken, "c": END}, seen=seen, barrier=Barrier(2))
    first, also, where = record.error.splitlines()
    assert first == "2 of the 2 runs of 'b' failed; b:0: ValueError: item 1"
    assert (also, where.partition(",")[0]) == ("  also:  b:1: ValueError: item 2", "  where: block 'b:0'")


@pytest.mark.parametrize("blocks_may_fail", [False, True])
def test_a_child_whose_data_is_not_published_hides_no_failure(tmp_path, seen, blocks_may_fail):
    early = MEET.replace("return n", "if n == 1:\n        raise Early('not there')\n    raise ValueError('broken')")
    early = f"class Early(Exception):\n    not_published = True\n\n\n{early}"
    limits = Limits(blocks_may_fail=blocks_may_fail)
    record = run(tmp_path, {"a": PAIR, "b": early, "c": END}, seen=seen, barrier=Barrier(2), limits=limits)
    assert record.status == "failed"
    assert record.error.startswith("2 of the 2 runs of 'b' failed; b:1: ValueError: broken\n  also:  b:0: Early: not")


def test_where_blocks_may_fail_all_children_run_and_what_needs_them_does_not(tmp_path, seen):
    broken = "@transformer\ndef work(n, **kwargs):\n    kwargs['context'][n] = 1\n    return 1 / (n - 1)\n"
    record = run(tmp_path, {"a": ITEMS, "b": broken, "c": END}, seen=seen, limits=Limits(blocks_may_fail=True))
    assert [child.status for child in record.block("b").children] == ["failed", "completed", "completed"]
    assert [each.status for each in record.blocks] == ["completed", "failed", "upstream_failed"]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("[[1, 2], [{}]]", "gave 2 items and 1 metadata: the last items have none"),
        ("[[1], [{}, {}]]", "gave 1 items and 2 metadata: the last of them are not used"),
        ("[[1, 2], [{'block_uuid': 'x'}] * 2]", "calls 2 items 'x': Mage runs only one of them"),
    ],
)
def test_metadata_that_do_not_fit_the_items_are_a_warning(tmp_path, seen, returned, told):
    loader = f"@data_loader\ndef load():\n    return {returned}\n"
    record = run(tmp_path, {"a": loader, "b": TENTH, "c": END}, seen=seen)
    assert record.error is None
    assert told in record.warnings[0]

"""A run of blocks that do not stream: what they are given, in which order, and what is kept of it."""

from __future__ import annotations

import pytest

from mage_project.errors import MageProjectError
from mage_project.runner import sensors
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from tests.projects import block, write_project


def run(tmp_path, blocks, code, given=None, **options):
    project = write_project(tmp_path, blocks, code, **options)
    with importable(project.root):
        return Run(project.pipeline("p"), given or {}, retry_delays_s=()).execute()


def test_upstream_outputs_come_by_position_in_the_order_of_upstream_blocks(tmp_path, seen):
    blocks = [block("a", "data_loader"), block("b", "data_loader"), block("c", "transformer", "b", "a")]
    load = "@data_loader\ndef load():\n    return '{}'\n"
    last = "@transformer\ndef join(first, second, **kwargs):\n    kwargs['seen'].append((first, second))\n"
    run(tmp_path, blocks, {"a": load.format("A"), "b": load.format("B"), "c": last}, {"seen": seen})
    assert seen == [("B", "A")]


def test_keywords_go_only_to_functions_that_take_them(tmp_path):
    record = run(tmp_path, [block("a", "data_loader")], {"a": "@data_loader\ndef load():\n    return 1\n"})
    assert record.error is None


def test_the_keywords_are_mages(tmp_path, seen):
    code = "@data_loader\ndef load(*args, **kwargs):\n    kwargs['seen'].append(kwargs)\n"
    run(
        tmp_path,
        [block("a", "data_loader", configuration={"x": 1})],
        {"a": code},
        {"seen": seen, "month": "2021-02", "execution_date": "2021-01-31"},
        variables={"month": "2021-01", "service": "green"},
    )
    (given,) = seen
    assert (given["month"], given["service"], given["ds"], given["hr"]) == ("2021-02", "green", "2021-01-31", "00")
    assert (given["pipeline_uuid"], given["block_uuid"], given["configuration"]) == ("p", "a", {"x": 1})
    assert given["execution_date"].tzinfo is None
    assert {"env", "context", "repo_path", "logger", "event", "interval_start_datetime"} <= given.keys()
    assert given.keys().isdisjoint({"stream", "trigger_name"})
    assert (given["retry"], given["execution_partition"]) == ({"attempts": 1}, "p/20210131T000000")


def test_the_context_is_shared_by_the_blocks_of_a_run(tmp_path, seen):
    first = "@data_loader\ndef load(**kwargs):\n    kwargs['context']['word'] = 'hello'\n"
    second = "@custom\ndef say(*args, **kwargs):\n    kwargs['seen'].append(kwargs['context']['word'])\n"
    run(tmp_path, [block("a", "data_loader"), block("b", "custom", "a")], {"a": first, "b": second}, {"seen": seen})
    assert seen == ["hello"]


@pytest.mark.parametrize(
    ("returned", "given"),
    [
        pytest.param("None", [], id="none"),
        pytest.param("[]", [], id="an empty list"),
        pytest.param("[7]", 7, id="a list of one"),
        pytest.param("(7,)", 7, id="a tuple of one"),
        pytest.param("7, 8", [7, 8], id="a tuple"),
        pytest.param("[7, 8]", [7, 8], id="a list"),
        pytest.param("{'a': 7}", {"a": 7}, id="a dict"),
    ],
)
def test_readers_get_the_one_output_or_the_list_of_all(tmp_path, seen, returned, given):
    load = f"@data_loader\ndef load():\n    return {returned}\n"
    look = "@transformer\ndef look(value, **kwargs):\n    kwargs['seen'].append(value)\n"
    run(tmp_path, [block("a", "data_loader"), block("b", "transformer", "a")], {"a": load, "b": look}, {"seen": seen})
    assert seen == [given]


def test_preprocessers_run_first_on_the_same_inputs(tmp_path, seen):
    load = "@data_loader\ndef load():\n    return {'n': 1}\n"
    look = """
    @preprocesser
    def prepare(value, **kwargs):
        value['n'] = 2
    @transformer
    def look(value, **kwargs):
        kwargs['seen'].append(value)
    """
    run(tmp_path, [block("a", "data_loader"), block("b", "transformer", "a")], {"a": load, "b": look}, {"seen": seen})
    assert seen == [{"n": 2}]


def test_a_sensor_holds_the_run_until_it_says_yes(tmp_path, seen, monkeypatch):
    monkeypatch.setattr(sensors, "PAUSE_S", 0)
    sense = "@sensor\ndef sense(**kwargs):\n    kwargs['seen'].append('look')\n    return len(kwargs['seen']) > 2\n"
    load = "@data_loader\ndef load(*inputs, **kwargs):\n    kwargs['seen'].append(inputs)\n"
    blocks = [block("z", "data_loader"), block("a", "sensor", "z"), block("b", "data_loader", "a")]
    record = run(tmp_path, blocks, {"z": load, "a": sense, "b": load}, {"seen": seen})
    assert (record.error, seen) == (None, [(), "look", "look", ([],)])


def test_a_sensor_looks_as_often_as_it_says_and_waits_no_longer_than_its_timeout(tmp_path):
    sense = "@sensor\ndef sense(**kwargs):\n    return False\n"
    often = block("a", "sensor", configuration={"poke_interval": 0.05}, timeout=1)
    record = run(tmp_path / "often", [often], {"a": sense})
    rarely = run(tmp_path / "rarely", [block("a", "sensor", timeout=1)], {"a": sense})
    for each in (record, rarely):
        assert "block 'a' took longer than its timeout of 1 s" in each.error


def test_a_poke_interval_that_is_no_time_is_told_before_anything_runs(tmp_path):
    for pause_s in (0, float("inf")):
        project = write_project(tmp_path, [block("a", "sensor", configuration={"poke_interval": pause_s})], {"a": ""})
        with pytest.raises(MageProjectError, match="'poke_interval' of block 'a' must be a number of seconds, 31,6"):
            project.pipeline("p")


def test_variables_are_plain_dicts_with_the_keys_of_the_file(tmp_path, seen):
    code = "@data_loader\ndef load(**kwargs):\n    kwargs['seen'].append(kwargs)\n"
    names = {1: "one", "deep": [{"a": {"b": 2}}]}
    run(tmp_path, [block("a", "data_loader")], {"a": code}, {"seen": seen}, variables={"names": names})
    assert seen[0]["names"] == names
    assert type(seen[0]["names"]) is type(seen[0]["names"]["deep"][0]["a"]) is dict


def test_blocks_without_a_guard_with_helpers_and_module_level_code_run(tmp_path):
    code = """
    from mage_ai.data_preparation.decorators import data_loader, test
    import os
    os.environ['SOMETHING_OF_MINE'] = 'set at the top'
    def helper():
        return LATER
    @data_loader
    def load():
        return helper()
    @test
    def check(output, *args):
        assert output == 7
    LATER = 7
    """
    record = run(tmp_path, [block("a", "data_loader")], {"a": code})
    assert record.error is None
    assert [test.name for test in record.block("a").tests] == ["check"]


def test_mages_guards_are_understood(tmp_path):
    code = """
    if 'data_loader' not in globals():
        from mage_ai.data_preparation.decorators import data_loader
    if 'test' not in globals():
        from mage_ai.data_preparation.decorators import test
    @data_loader
    def load(*args, **kwargs):
        return 1
    @test
    def test_output(output, *args) -> None:
        assert output is not None, 'The output is undefined'
    """
    assert run(tmp_path, [block("a", "data_loader")], {"a": code}).error is None


def test_every_test_runs_before_the_verdict(tmp_path):
    code = "@data_loader\ndef load():\n    return 1\n" + "".join(
        f"@test\ndef check(n, *args):\n    assert n == {n}\n" for n in (0, 1, 2)
    )
    record = run(tmp_path, [block("a", "data_loader")], {"a": code})
    assert record.exit_code == 3
    assert [(test.name, test.passed) for test in record.block("a").tests] == [
        ("check", False),
        ("check", True),
        ("check", False),
    ]
    assert "assert n == 0 (line" in record.error


def test_what_comes_after_a_failure_does_not_run(tmp_path):
    blocks = [block("a", "data_loader"), block("b", "transformer", "a")]
    record = run(tmp_path, blocks, {"a": "@data_loader\ndef load():\n    1 / 0\n", "b": "raise SystemError\n"})
    assert [(b.status) for b in record.blocks] == ["failed", "pending"]


def test_siblings_do_not_see_each_others_changes(tmp_path, seen):
    load = "import pandas as pd\n@data_loader\ndef load():\n    return pd.DataFrame({'n': [1]})\n"
    spoil = "@data_exporter\ndef export(frame, **kwargs):\n    frame['n'] = 2\n    del frame['n']\n"
    look = "@data_exporter\ndef export(frame, **kwargs):\n    kwargs['seen'].append(frame.n.tolist())\n"
    blocks = [block("a", "data_loader"), block("b", "data_exporter", "a"), block("c", "data_exporter", "a")]
    record = run(tmp_path, blocks, {"a": load, "b": spoil, "c": look}, {"seen": seen})
    assert (record.error, seen) == (None, [[1]])


def test_a_value_is_dropped_after_its_last_reader(tmp_path, seen):
    load = """
    import weakref
    class Value:
        def __deepcopy__(self, memo):
            return self
    @data_loader
    def load(**kwargs):
        value = Value()
        kwargs['seen'].append(weakref.ref(value))
        return value
    """
    pass_on = "@transformer\ndef one(value, **kwargs):\n    return 1\n"
    look = "@transformer\ndef look(value, **kwargs):\n    kwargs['seen'].append(kwargs['seen'][0]() is None)\n"
    blocks = [block("a", "data_loader"), block("b", "transformer", "a"), block("c", "transformer", "b")]
    record = run(tmp_path, blocks, {"a": load, "b": pass_on, "c": look}, {"seen": seen})
    assert (record.error, seen[1]) == (None, True)


def test_markdown_and_scratchpads_are_passed_over(tmp_path):
    blocks = [block("note", "markdown"), block("try", "scratchpad"), block("a", "data_loader")]
    record = run(tmp_path, blocks, {"a": "@data_loader\ndef load():\n    return 1\n"})
    assert [b.status for b in record.blocks] == ["skipped", "skipped", "completed"]


def test_an_exit_in_a_block_fails_the_block_and_not_the_runner(tmp_path):
    record = run(
        tmp_path, [block("a", "data_loader")], {"a": "import sys\n@data_loader\ndef load():\n    sys.exit(0)\n"}
    )
    assert record.status == "failed"
    assert record.exit_code == 1


def test_warnings_are_kept_with_the_run(tmp_path):
    code = "import warnings\n@data_loader\ndef load():\n    warnings.warn('the file is old')\n    return 1\n"
    assert run(tmp_path, [block("a", "data_loader")], {"a": code}).warnings == ["the file is old"]


DEFERRED = """
from mage_project.io import commits
@data_exporter
def export(*args, **kwargs):
    seen = kwargs["seen"]
    commits.current().add(commit=lambda: seen.append("committed"), rollback=lambda: seen.append("rolled back"))
"""


def test_an_exporter_commits_when_its_own_tests_have_passed(tmp_path, seen):
    assert run(tmp_path, [block("a", "data_exporter")], {"a": DEFERRED}, {"seen": seen}).error is None
    assert seen == ["committed"]


def test_an_exporter_whose_test_fails_is_rolled_back(tmp_path, seen):
    code = DEFERRED + "\n@test\ndef check(*args):\n    assert False, 'no'\n"
    assert run(tmp_path, [block("a", "data_exporter")], {"a": code}, {"seen": seen}).exit_code == 3
    assert seen == ["rolled back"]


def test_a_block_in_another_language_is_refused_before_anything_runs(tmp_path, seen):
    first = "@data_loader\ndef load(**kwargs):\n    kwargs['seen'].append(1)\n"
    blocks = [block("a", "data_loader"), {"uuid": "b", "type": "data_loader", "language": "r"}]
    (tmp_path / "data_loaders").mkdir()
    (tmp_path / "data_loaders/b.r").write_text("1")
    record = run(tmp_path, blocks, {"a": first}, {"seen": seen})
    assert (record.exit_code, seen) == (2, [])

"""Conditions before a block, and callbacks after it."""

from __future__ import annotations

import yaml

from mage_project.project import Project
from mage_project.runner.run import Run
from mage_project.runner.running import importable
from tests.projects import block, write_pipeline, write_project

LOAD = "@data_loader\ndef load(**kwargs):\n    kwargs['seen'].append('load')\n    return 7\n"
NEXT = "@transformer\ndef hand_on(value, **kwargs):\n    kwargs['seen'].append('next')\n"
BOTH = """
@callback('success')
def well(value, **kwargs):
    kwargs['seen'].append(('success', kwargs['parent_block_uuid'], value))

@callback('failure')
def badly(value, **kwargs):
    kwargs['seen'].append(('failure', kwargs['parent_block_uuid'], str(kwargs['__error'])))
"""


def run(tmp_path, seen, code, blocks, *, callbacks=(), conditionals=()):
    addons = {"callbacks": list(callbacks), "conditionals": list(conditionals)}
    write_project(tmp_path, [*blocks, *callbacks, *conditionals], code)
    write_pipeline(tmp_path, yaml.safe_dump({"blocks": blocks, **addons}))
    project = Project(tmp_path)
    with importable(project.root):
        return Run(project.pipeline("p"), {"seen": seen}, retry_delays_s=()).execute()


LINE = [block("a", "data_loader"), block("b", "transformer", "a")]
STREAM = {"configuration": {"stream": True}}


def test_what_needs_a_block_whose_condition_is_false_does_not_run_and_the_run_completes(tmp_path, seen):
    no = "@condition\ndef no(*args, **kwargs):\n    return False\n"
    record = run(tmp_path, seen, {"a": LOAD, "b": NEXT, "q": no}, LINE, conditionals=[block("q", "conditional", "a")])
    assert (record.exit_code, seen) == (0, [])
    assert [each.status for each in record.blocks] == ["condition_failed", "condition_failed"]


def test_a_condition_that_raises_is_false_and_says_where(tmp_path, seen):
    broken = "@condition\ndef broken(*args, **kwargs):\n    return 1 / 0\n"
    record = run(
        tmp_path, seen, {"a": LOAD, "b": NEXT, "q": broken}, LINE, conditionals=[block("q", "conditional", "a")]
    )
    (warning,) = record.warnings
    assert warning.startswith("condition 'q' counts as false: ZeroDivisionError")
    assert "conditionals/q.py:3" in warning


def test_a_callback_that_fails_is_a_warning_and_the_run_completes(tmp_path, seen):
    broken = "@callback('success')\ndef broken(*args, **kwargs):\n    1 / 0\n"
    record = run(tmp_path, seen, {"a": LOAD, "b": NEXT, "q": broken}, LINE, callbacks=[block("q", "callback", "a")])
    assert (record.exit_code, seen) == (0, ["load", "next"])
    assert "callback 'q' failed" in record.warnings[0]
    assert "callbacks/q.py:3" in record.warnings[0]


def test_every_callback_of_a_block_is_called_and_sees_the_run(tmp_path, seen):
    broken = "@on_success\ndef broken(**kwargs):\n    return kwargs['pipeline_run'].blok_runs\n"
    look = """
    @callback('success')
    def look(value, pipeline_run, retry, **kwargs):
        kwargs['seen'].append([(each.block_uuid, each.status) for each in pipeline_run.block_runs])
        kwargs['seen'].append((pipeline_run.id == kwargs['pipeline_run_id'], pipeline_run.pipeline_uuid, retry))
    """
    callbacks = [block("q", "callback", "a"), block("r", "callback", "a")]
    record = run(tmp_path, seen, {"a": LOAD, "b": NEXT, "q": broken, "r": look}, LINE, callbacks=callbacks)
    assert "pipeline_run has no 'blok_runs' here. Did you mean 'block_runs'?" in record.warnings[0]
    statuses = [("a", "completed"), ("b", "initial")]
    assert seen == ["load", statuses, (True, "p", {"attempts": 1}), "next"]


def test_a_callback_of_a_wrong_status_names_the_right_ones(tmp_path, seen):
    wrong = "@callback('succes')\ndef wrong(*args, **kwargs):\n    pass\n"
    record = run(tmp_path, seen, {"a": LOAD, "b": NEXT, "q": wrong}, LINE, callbacks=[block("q", "callback", "a")])
    assert "@callback takes one of 'success', 'failure', 'cancelled', not 'succes'" in record.warnings[0]


def test_an_old_callback_lies_in_a_file_named_after_its_block(tmp_path, seen):
    blocks = [block("a", "data_loader", has_callback=True)]
    (tmp_path / "callbacks").mkdir()
    source = "@on_success\ndef well(**kwargs):\n    kwargs['seen'].append(kwargs['block_uuid'])\n"
    (tmp_path / "callbacks/a_callback.py").write_text(source)
    assert run(tmp_path, seen, {"a": LOAD}, blocks).error is None
    assert seen == ["load", "a_callback"]


BATCHES = """
import pandas as pd

@data_loader
def load(**kwargs):
    for n in range(3):
        yield pd.DataFrame({"n": [n]})
"""
EXPORT = "@data_exporter\ndef export(frames, **kwargs):\n    rows = sum(map(len, frames))\n"


def test_callbacks_of_a_stream_are_called_when_it_has_ended(tmp_path, seen):
    blocks = [block("a", "data_loader", **STREAM), block("b", "data_exporter", "a", **STREAM)]
    sizes = "@callback\ndef bare():\n    pass\n\n@callback('success')\ndef well(value, **kwargs):\n"
    sizes += "    kwargs['seen'].append((kwargs['parent_block_uuid'], len(value)))\n"
    code = {"a": BATCHES, "b": EXPORT, "q": sizes}
    assert run(tmp_path, seen, code, blocks, callbacks=[block("q", "callback", "a", "b")]).warnings == []
    assert seen == [("a", 3), ("b", 0)]


def test_the_block_that_broke_a_stream_has_failed_and_no_other(tmp_path, seen):
    blocks = [block("a", "data_loader", **STREAM), block("b", "data_exporter", "a", **STREAM)]
    code = {"a": BATCHES, "b": EXPORT + "    raise ValueError('the disk is full')\n", "q": BOTH}
    assert run(tmp_path, seen, code, blocks, callbacks=[block("q", "callback", "a", "b")]).exit_code == 1
    assert seen == [("failure", "b", "the disk is full")]


def test_a_condition_in_a_stream_sees_the_whole_input(tmp_path, seen):
    blocks = [block("a", "data_loader", **STREAM), block("b", "data_exporter", "a", **STREAM)]
    big = "@condition\ndef is_big(frame, **kwargs):\n    return len(frame) > 3\n"
    record = run(
        tmp_path, seen, {"a": BATCHES, "b": EXPORT, "q": big}, blocks, conditionals=[block("q", "conditional", "b")]
    )
    assert [each.status for each in record.blocks] == ["completed", "condition_failed"]


def test_a_stream_whose_source_is_held_back_does_not_run(tmp_path, seen):
    blocks = [block("a", "data_loader", **STREAM), block("b", "data_exporter", "a", **STREAM)]
    no = "@condition\ndef no(**kwargs):\n    return False\n"
    record = run(
        tmp_path, seen, {"a": BATCHES, "b": EXPORT, "q": no}, blocks, conditionals=[block("q", "conditional", "a")]
    )
    assert {each.status for each in record.blocks} == {"condition_failed"}


def test_a_callback_that_is_not_called_is_not_given_the_whole_stream(tmp_path, seen):
    from mage_project.runner.addons import want_output

    code = {"a": LOAD, "q": "@callback('success')\ndef tell(**kwargs):\n    pass\n", "r": BOTH}
    callbacks = [block("q", "callback", "a"), block("r", "callback", "b")]
    run(tmp_path, seen, {**code, "b": NEXT}, LINE, callbacks=callbacks)
    a, b = Project(tmp_path).pipeline("p").blocks
    assert (want_output(a), want_output(b)) == (False, True)

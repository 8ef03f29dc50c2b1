"""Runs that go on where another one failed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from mage_project.cli.commands import cli
from mage_project.errors import UsageError
from mage_project.history import starters
from mage_project.history.runs import details
from mage_project.history.stores import store_of
from mage_project.project import Project
from mage_project.runner.records import RunRecord
from mage_project.runner.resuming import plan, resume
from mage_project.runner.resumptions import claim
from mage_project.runner.running import run_pipeline
from tests.projects import block, write_items, write_project

#: Outputs that no file format holds: an index of texts, tuples, keys that are numbers.
LOAD = """
import pandas as pd
@data_loader
def load(context, **kwargs):
    context['from'] = 'load'
    return pd.DataFrame({'n': [1, 2]}, index=['a', 'b'])
"""
PAIRS = "@transformer\ndef pairs(frame, **kwargs):\n    return {1: tuple(frame.n)}\n"
OUT = """
@data_exporter
def out(frame, pairs, context, ds, **kwargs):
    if kwargs.get('broken', True):
        raise ValueError('broken')
    if 'seen' in kwargs:
        kwargs['seen'].append((frame.index.tolist(), pairs, context, ds))
"""
MENDED = OUT.replace("if kwargs.get('broken', True):", "if False:")
LAST = "@custom\ndef last(*given):\n    return 1\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    blocks = [
        block("load", "data_loader"),
        block("pairs", "transformer", "load"),
        block("out", "data_exporter", "load", "pairs"),
        block("last", "custom", "out"),
    ]
    return write_project(tmp_path, blocks, {"load": LOAD, "pairs": PAIRS, "out": OUT, "last": LAST})


def failed(project: Project, **given: object) -> RunRecord:
    record = run_pipeline(project, "p", given)
    assert record.status == "failed"
    return record


def write(project: Project, path: str, source: str) -> None:
    (project.root / path).write_text(source)


def test_what_failed_runs_again_on_what_was_in_memory(project, seen):
    first = failed(project, execution_date="2020-11-01")
    assert first.resume is not None
    assert first.resume.startswith("mage-project resume ")
    write(project, "data_exporters/out.py", MENDED)
    made = plan(project, first.run_id[:18], {"seen": seen})
    assert [(step.block, step.action, step.why) for step in made.steps] == [
        ("load", "skip", "completed, and its output is kept"),
        ("pairs", "skip", "completed, and its output is kept"),
        ("out", "run", "failed"),
        ("last", "run", "had not begun"),
    ]
    assert made.told == ["'out' has changed since"]
    second = resume(made)
    assert second.error is None
    assert [each.status for each in second.blocks] == ["skipped", "skipped", "completed", "completed"]
    assert list(seen) == [(["a", "b"], {1: (1, 2)}, {"from": "load"}, "2020-11-01")]


def test_the_history_links_the_runs_and_a_resumed_one_is_not_resumed_again(project):
    first = failed(project)
    second = resume(plan(project, first.run_id, {"broken": False}))
    store = store_of(project.root, print)
    assert store is not None
    assert details(store, second.run_id).run.trigger == f"resumes {first.run_id}"
    with pytest.raises(UsageError, match=f"run {first.run_id} was resumed by {second.run_id}"):
        plan(project, first.run_id, {})


@pytest.mark.parametrize(("backfill", "told"), [(None, "daily"), ("1", None)], ids=["trigger", "backfill"])
def test_a_resumed_run_knows_the_trigger_of_the_first(project, seen, monkeypatch, backfill, told):
    monkeypatch.setenv(starters.TRIGGER, "daily")
    if backfill:
        monkeypatch.setenv(starters.BACKFILL, backfill)
    first = failed(project)
    write(project, "data_exporters/out.py", MENDED.replace("ds))", "kwargs.get('trigger_name')))"))
    assert resume(plan(project, first.run_id, {"seen": seen})).error is None
    assert [each[-1] for each in seen] == [told]


def test_a_resumed_run_that_fails_can_be_resumed_in_its_turn(project):
    second = resume(plan(project, failed(project).run_id, {}))
    assert second.status == "failed"
    made = plan(project, second.run_id, {"broken": False})
    assert [(step.action, step.why) for step in made.steps][:2] == [("skip", "completed, and its output is kept")] * 2
    assert resume(made).error is None


def test_a_run_that_succeeds_or_fails_at_once_leaves_nothing(project):
    assert run_pipeline(project, "p", {"broken": False}).resume is None
    write(project, "data_loaders/load.py", "@data_loader\ndef load():\n    1 / 0\n")
    assert failed(project).resume is None
    assert not (project.root / ".mage_project" / "resume").exists()


def test_changed_code_of_what_does_not_run_and_changed_variables_are_doubts(project):
    run_id = failed(project, month="2020-10").run_id
    write(project, "data_loaders/load.py", f"{LOAD}# changed\n")
    assert plan(project, run_id, {"month": "2020-11"}).doubts == [
        "'load' has changed since, and does not run again",
        "the variable 'month' has changed since: what is done was done with the old one",
    ]


def test_what_cannot_be_kept_is_made_again(project):
    write(project, "transformers/pairs.py", "@transformer\ndef pairs(frame, **kwargs):\n    return lambda: frame\n")
    made = plan(project, failed(project).run_id, {"broken": False})
    assert [(step.action, step.why) for step in made.steps][:2] == [
        ("skip", "completed, and its output is kept"),
        ("run", "its output is not kept, and 'out' reads it"),
    ]
    assert resume(made).error is None


def test_a_stream_is_read_again_as_a_whole_and_what_it_was_given_is_kept(tmp_path):
    lookup = "import pandas as pd\n@data_loader\ndef lookup():\n    return pd.DataFrame({'zone': [1]})\n"
    load = "import pandas as pd\n@data_loader\ndef load(**kwargs):\n    yield pd.DataFrame({'n': [1]})\n"
    out = "@data_exporter\ndef out(frames, zones, **kwargs):\n    assert len(zones) == 1\n    list(frames)\n    1 / 0\n"
    stream = {"configuration": {"stream": True}}
    blocks = [
        block("lookup", "data_loader"),
        block("load", "data_loader", **stream),
        block("out", "data_exporter", "load", "lookup", **stream),
    ]
    project = write_project(tmp_path, blocks, {"lookup": lookup, "load": load, "out": out})
    run_id = failed(project).run_id
    write(project, "data_exporters/out.py", out.replace("1 / 0", "pass"))
    made = plan(project, run_id, {})
    assert {step.block: step.action for step in made.steps} == {"lookup": "skip", "load": "run", "out": "run"}
    assert resume(made).error is None


def test_a_condition_that_was_false_still_is(tmp_path):
    code = {name: f"@custom\ndef {name}(*given, **kwargs):\n    return 1\n" for name in ("a", "b", "c")}
    code["d"] = "@custom\ndef d(*given, **kwargs):\n    assert not kwargs.get('broken', True)\n"
    blocks = [block("a", "custom"), block("b", "custom", "a"), block("c", "custom", "b"), block("d", "custom", "a")]
    project = write_project(tmp_path, blocks, code)
    condition = project.root / "conditionals" / "never.py"
    condition.parent.mkdir()
    condition.write_text("@condition\ndef never(*given, **kwargs):\n    return False\n")
    metadata = project.root / "pipelines" / "p" / "metadata.yaml"
    metadata.write_text(
        f"{metadata.read_text()}conditionals:\n- {{uuid: never, type: conditional, upstream_blocks: [b]}}\n"
    )
    second = resume(plan(project, failed(project).run_id, {"broken": False}))
    assert second.error is None
    assert [each.status for each in second.blocks] == ["skipped", "condition_failed", "condition_failed", "completed"]


def test_of_an_unknown_run_it_is_said_which_ones_there_are(project):
    run_id = failed(project).run_id
    with pytest.raises(UsageError, match="nothing is kept of a run 'x'") as caught:
        plan(project, "x", {})
    assert run_id in (caught.value.hint or "")


def test_of_two_that_resume_a_run_one_does(project, seen):
    run_id = failed(project).run_id
    write(project, "data_exporters/out.py", MENDED)
    made = [plan(project, run_id, {"seen": seen}) for _ in range(2)]
    assert resume(made[0]).error is None
    with pytest.raises(UsageError, match=f"run {run_id} was resumed by"):
        resume(made[1])
    assert len(seen) == 1


def test_a_run_is_not_resumed_while_another_one_goes_on_with_it(project):
    first = failed(project)
    claim(project.root, first.run_id, "20990101T000000-000000")
    with pytest.raises(UsageError, match=f"run {first.run_id} is being resumed by 20990101T000000-000000"):
        plan(project, first.run_id, {})


def test_a_run_whose_resuming_cannot_be_noted_is_not_resumed(project):
    made = plan(project, failed(project).run_id, {"broken": False})
    (project.root / ".mage_project" / "resume" / made.failure.run_id / "resumed.new").mkdir()
    with pytest.raises(UsageError, match="it cannot be noted that run"):
        resume(made)


def test_what_a_dead_run_has_left_undone_is_free_again(project):
    run_id = failed(project).run_id
    claim(project.root, run_id, "20990101T000000-000000")
    note = project.root / ".mage_project" / "resume" / run_id / "resumed.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "pid_started": "1"}))
    shown = CliRunner().invoke(cli, ["runs", "show", run_id, "--project", str(project.root)])
    assert "next:  mage-project resume" in shown.output
    assert resume(plan(project, run_id, {"broken": False})).error is None
    shown = CliRunner().invoke(cli, ["runs", "show", run_id, "--project", str(project.root)])
    assert "next:  mage-project runs show" in shown.output


def test_a_run_knows_its_environment_when_it_is_resumed(project, seen, monkeypatch):
    monkeypatch.setenv("ENV", "prod")
    run_id = failed(project).run_id
    monkeypatch.setenv("ENV", "elsewhere")
    write(project, "data_exporters/out.py", MENDED.replace("ds))", "(kwargs['env'], os.environ['ENV'])))").replace(
        "@data_exporter", "import os\n@data_exporter"))  # fmt: skip
    assert resume(plan(project, run_id, {"seen": seen})).error is None
    assert [each[-1] for each in seen] == [("prod", "prod")]
    assert os.environ["ENV"] == "elsewhere"


def test_what_was_done_again_since_is_a_doubt(project):
    run_id = failed(project, execution_date="2020-11-01").run_id
    write(project, "data_exporters/out.py", MENDED)
    again = run_pipeline(project, "p", {"execution_date": "2020-11-01"})
    assert plan(project, run_id, {}).doubts == [
        f"run {again.run_id}, which began later with the same date and variables, has completed"
    ]


def test_items_that_are_done_are_a_doubt(tmp_path):
    out = "@data_exporter\ndef out(given, **kwargs):\n    assert given < 3\n"
    project = write_items(tmp_path, 3, out=out)
    assert plan(project, failed(project).run_id, {}).doubts == [
        "'out' has written already (2 of its runs), and writes again"
    ]


def test_what_is_kept_and_cannot_be_read_is_made_again(project):
    write(project, "things.py", "class Thing:\n    n = [1]\n    index = n_ = None\n")
    source = "from things import Thing\n@transformer\ndef pairs(frame, **kwargs):\n    return Thing()\n"
    write(project, "transformers/pairs.py", source)
    made = plan(project, failed(project).run_id, {"broken": False})
    path = project.root / ".mage_project" / "resume" / made.failure.run_id / "pairs.pickle"
    path.write_bytes(path.read_bytes()[:5])
    with pytest.raises(UsageError, match="what was kept of block 'pairs' cannot be read"):
        resume(made)
    made = plan(project, made.failure.run_id, {"broken": False})
    assert [step.action for step in made.steps] == ["skip", "run", "run", "run"]
    assert resume(made).error is None

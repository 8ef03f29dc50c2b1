"""Runs of some of a pipeline's blocks."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from mage_project.errors import UsageError
from mage_project.project import Project
from mage_project.runner.records import RunRecord
from mage_project.runner.running import run_pipeline
from mage_project.runner.selection import Choice, chosen
from mage_project.runner.single import run_block
from tests.projects import block, write_project
from tests.runner.conftest import Shared

LOAD = """
import pandas as pd
@data_loader
def load(seen, **kwargs):
    seen.append('load')
    return pd.DataFrame({'n': [1, 2], 'text': ['a', None]})
"""
DOUBLE = """
@transformer
def double(frame, seen, **kwargs):
    seen.append('double')
    return frame.assign(n=frame.n * 2)
"""
OUT = """
@data_exporter
def out(frame, seen, **kwargs):
    seen.append(('out', frame.n.tolist()))
"""
STREAM = {"configuration": {"stream": True}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return chain(tmp_path)


def chain(root: Path, load: str = LOAD, **more: Any) -> Project:
    blocks = [
        block("load", "data_loader", **more),
        block("double", "transformer", "load", **more),
        block("out", "data_exporter", "double", **more),
    ]
    return write_project(root, blocks, {"load": load, "double": DOUBLE, "out": OUT})


def run(project: Project, seen: Shared, **choice: Any) -> RunRecord:
    seen.clear()
    return run_pipeline(project, "p", {"seen": seen}, choice=Choice(**choice))


@pytest.mark.parametrize(
    ("choice", "ran"),
    [
        ({"first": ["double"]}, ["double", ("out", [2, 4])]),
        ({"only": ["double"]}, ["double"]),
        ({"skip": ["out"]}, ["load", "double"]),
        ({"first": ["double"], "skip": ["out"]}, ["double"]),
    ],
    ids=str,
)
def test_only_what_is_chosen_runs_on_what_the_last_run_kept(project, seen, choice, ran):
    assert run(project, seen).error is None
    record = run(project, seen, **choice)
    assert (record.error, list(seen)) == (None, ran)
    names = {each[0] if isinstance(each, tuple) else each for each in ran}
    assert {block.uuid for block in record.blocks if block.status == "skipped"} == {"load", "double", "out"} - names


def test_what_did_not_run_is_still_kept_for_the_next_time(project, seen):
    run(project, seen)
    run(project, seen, only=["out"])
    run(project, seen, first=["double"])
    assert list(seen) == ["double", ("out", [2, 4])]


def test_what_is_read_is_said_to_be_of_the_run_that_has_made_it(project, seen):
    first, said = run(project, seen), []
    second = run(project, seen, only=["double"])
    chosen(project.pipeline("p"), Choice(only=["out"]), {}, lambda _uuid, line: said.append(line))
    chosen(project.pipeline("p"), Choice(only=["double"]), {}, lambda _uuid, line: said.append(line))
    assert [line.partition(" (execution date 20")[0] for line in said] == [
        f"the output of double is that of run {second.run_id}",
        f"the output of load is that of run {first.run_id}",
    ]


@pytest.mark.parametrize("kept", ["load.arrow", "double.pickle"])
def test_what_was_kept_and_is_broken_is_named_with_what_to_do(project, seen, kept):
    (project.root / "transformers/double.py").write_text("@transformer\ndef double(*given):\n    return [1]\n")
    run(project, seen, skip=["out"])
    path = project.root / ".mage_project/last_run/p" / kept
    path.write_bytes(path.read_bytes()[:-5])
    uuid, reader = path.stem, {"load": "double", "double": "out"}[path.stem]
    for attempt in (lambda: run(project, seen, only=[reader]), lambda: run_block(project, reader, {})):
        with pytest.raises(UsageError, match=f"what was kept of block '{uuid}' cannot be read") as caught:
            attempt()
        assert caught.value.where == f".mage_project/last_run/p/{kept}"
        assert (caught.value.hint or "").endswith(f"--from {uuid}")


@pytest.mark.parametrize("note", ['{"whole": 3}', "[1]", '{"rows": "x"}', '{"variables": [[1]]}', "[" * 100_000])
def test_a_broken_note_of_the_last_run_counts_as_none(project, seen, note):
    run(project, seen)
    (project.root / ".mage_project/last_run/p/run.json").write_text(note)
    with pytest.raises(UsageError, match="the last run has not kept the whole output of 'load'"):
        run(project, seen, only=["double"])
    assert run_block(project, "double", {"seen": seen})[0].error is None
    assert run(project, seen, first=["load"]).error is None


def test_a_disk_that_fails_when_a_run_ends_leaves_what_the_last_one_kept(project, seen, monkeypatch):
    run(project, seen)
    kept = project.root / ".mage_project/last_run/p"
    before, real = {path.name: path.read_bytes() for path in kept.iterdir()}, Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.name.startswith("double.") and path.parent == kept:
            raise OSError(errno.EIO, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    run(project, seen, only=["out"])
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    assert [path.name for path in kept.parent.iterdir()] == ["p"]


def test_without_a_run_before_it_is_said_what_to_run_first(project, seen):
    with pytest.raises(UsageError, match="no run of 'p' has kept the output of 'load'") as caught:
        run(project, seen, first=["double"])
    assert "mage-project run p" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "made",
    ["pd.DataFrame({'n': range(60_000)})", "pd.DataFrame({'n': [1]}, index=[7])", "object()"],
)
def test_no_part_and_nothing_that_was_changed_by_keeping_passes_for_the_output(tmp_path, seen, made):
    load = f"import pandas as pd\n@data_loader\ndef load(**kwargs):\n    return {made}\n"
    blocks = [block("load", "data_loader"), block("next", "custom", "load")]
    project = write_project(tmp_path, blocks, {"load": load, "next": "@custom\ndef next(given):\n    pass\n"})
    assert run(project, seen).error is None
    with pytest.raises(UsageError, match="not kept the whole output of 'load', which 'next' reads") as caught:
        run(project, seen, first=["next"])
    assert (caught.value.hint or "").endswith("--from load")


def test_missing_texts_come_back_as_they_were(tmp_path, seen):
    load = (
        "import pandas as pd\n@data_loader\ndef load(**kwargs):\n    return pd.DataFrame({'a': ['x', float('nan')]})\n"
    )
    look = "@custom\ndef look(frame, seen, **kwargs):\n    seen.append(repr(frame.a.tolist()))\n"
    blocks = [block("load", "data_loader"), block("look", "custom", "load")]
    project = write_project(tmp_path, blocks, {"load": load, "look": look})
    run_pipeline(project, "p", {"seen": seen})
    run_pipeline(project, "p", {"seen": seen}, choice=Choice(only=["look"]))
    assert list(seen) == ["['x', nan]"] * 2


def test_types_come_back_as_they_were(tmp_path, seen):
    load = """
        import pandas as pd, pyarrow as pa

        @data_loader
        def load(**kwargs):
            texts = pd.array(['x', None], dtype=pd.ArrowDtype(pa.string()))
            lists = pd.array([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int8())))
            return pd.DataFrame({'a': texts, 'b': lists, 'c': ['x', float('nan')], 'd': [1, 2]})
    """
    look = (
        "@custom\ndef look(frame, seen, **kwargs):\n    seen.append(repr([frame.dtypes.tolist(), frame.to_dict()]))\n"
    )
    blocks = [block("load", "data_loader"), block("look", "custom", "load")]
    project = write_project(tmp_path, blocks, {"load": load, "look": look})
    run_pipeline(project, "p", {"seen": seen})
    run_pipeline(project, "p", {"seen": seen}, choice=Choice(only=["look"]))
    first, second = seen
    assert first == second


def test_plain_data_comes_back_as_it_was(tmp_path, seen):
    load = "@data_loader\ndef load(**kwargs):\n    return {1: (2, [3])}\n"
    look = "@custom\ndef look(given, seen, **kwargs):\n    seen.append(given)\n"
    blocks = [block("load", "data_loader"), block("look", "custom", "load")]
    project = write_project(tmp_path, blocks, {"load": load, "look": look})
    run_pipeline(project, "p", {"seen": seen})
    run_pipeline(project, "p", {"seen": seen}, choice=Choice(only=["look"]))
    assert list(seen) == [{1: (2, [3])}] * 2


def test_no_output_is_whole_as_well(tmp_path, seen):
    blocks = [block("first", "custom"), block("second", "custom", "first")]
    code = {"first": "@custom\ndef first():\n    pass\n", "second": "@custom\ndef second(*given):\n    pass\n"}
    project = write_project(tmp_path, blocks, code)
    run(project, seen)
    assert run(project, seen, first=["second"]).error is None


def test_a_stream_is_read_again_from_its_loader(tmp_path, seen):
    batches = "    yield pd.DataFrame({'n': [1]})\n    yield pd.DataFrame({'n': [2]})\n"
    load = f"import pandas as pd\n@data_loader\ndef load(seen, **kwargs):\n    seen.append('load')\n{batches}"
    project = chain(tmp_path, load, **STREAM)
    exporter = project.root / "data_exporters" / "out.py"
    exporter.write_text("@data_exporter\ndef out(frames, seen, **kwargs):\n    seen.append(len(list(frames)))\n")
    assert run(project, seen).error is None
    record = run(project, seen, only=["out"])
    assert (record.error, list(seen)) == (None, ["load", "double", "double", 2])


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"first": ["dubble"]}, "Did you mean 'double'"),
        ({"first": ["double"], "only": ["out"]}, "ask for different things"),
        ({"only": ["out"], "skip": ["out"]}, "no block is left to run"),
    ],
    ids=str,
)
def test_what_cannot_be_chosen_is_said(project, seen, choice, said):
    with pytest.raises(UsageError, match=said):
        run(project, seen, **choice)


def test_a_kept_output_comes_with_the_variables_and_the_date_that_made_it(tmp_path, seen):
    show = "@custom\ndef {}(*given, seen, month, ds, **kwargs):\n    seen.append((month, ds))\n    return 1\n"
    blocks = [block("first", "custom"), block("second", "custom", "first")]
    project = write_project(tmp_path, blocks, {name: show.format(name) for name in ("first", "second")})
    given = {"seen": seen, "month": "2020-10", "execution_date": "2020-11-01"}
    assert run_pipeline(project, "p", given).error is None
    run_pipeline(project, "p", {"seen": seen}, choice=Choice(first=["second"]))
    assert list(seen) == [("2020-10", "2020-11-01")] * 3

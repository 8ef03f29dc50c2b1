"""The plugin for pytest: a small project's blocks, tested by a pytest of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mage_project.pytest_plugin.session  # noqa: F401 - pytester forgets what is imported inside of it
from tests.projects import block, write_project

pytest_plugins = ["pytester"]

LOAD = """
from pathlib import Path

@data_loader
def load(source=None, **kwargs):
    with Path(kwargs['repo_path'], 'runs').open('a') as runs:
        runs.write('once\\n')
    return kwargs.get('first', 3)

@test
def test_it_is_a_number(number, *args):
    assert isinstance(number, int)

@test
def test_it_is_positive(number, *args):
    assert number > 0
"""
DOUBLE = """
@transformer
def double(number, **kwargs):
    return 2 * number

@test
def test_it_is_at_most_six(number, *args):
    assert number <= 6, f'it is {number}'
"""
EXPORT = """
from pathlib import Path

@data_exporter
def export(number, **kwargs):
    Path(kwargs['repo_path'], 'written').touch()

@test
def test_it_is_written(*args):
    assert False
"""
BLOCKS = [
    block("load", "data_loader"),
    block("double", "transformer", "load"),
    block("export", "data_exporter", "double"),
]
CODE = {"load": LOAD, "double": DOUBLE, "export": EXPORT}

Pytest = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    return pytester.mkdir("project")


@pytest.fixture
def run(pytester: pytest.Pytester, project: Path) -> Pytest:
    """Pytest on the project, in this process."""
    return lambda *words: pytester.runpytest("--mage-project", project, *words)


def write(project: Path, *, uuid: str = "numbers", variables: dict[str, Any] | None = None, **code: str) -> None:
    """A pipeline that loads, doubles and exports; `code` in the place of what is above."""
    write_project(project, BLOCKS, {**CODE, **code}, pipeline=uuid, variables={"source": "here", **(variables or {})})


def test_every_test_of_a_block_is_an_item(project: Path, run: Pytest) -> None:
    write(project, load=f"{LOAD}\nraise ValueError('nothing is executed to know the names')")
    found = run("--collect-only", "-q")
    assert found.outlines[:4] == [
        "numbers/load::test_it_is_a_number",
        "numbers/load::test_it_is_positive",
        "numbers/double::test_it_is_at_most_six",
        "numbers/export::test_it_is_written",
    ]


def test_exporters_are_not_run(project: Path, run: Pytest) -> None:
    write(project)
    ended = run("-rs")
    ended.assert_outcomes(passed=3, skipped=1)
    ended.stdout.fnmatch_lines(["SKIPPED [[]1[]] *export.py: exporters are not run: no store is written"])
    assert not (project / "written").exists()


def test_a_failed_test_says_what_the_runner_says(project: Path, run: Pytest) -> None:
    write(project)
    ended = run("--var", "first=4")
    ended.assert_outcomes(passed=2, failed=1, skipped=1)
    ended.stdout.fnmatch_lines(
        [
            "*test_it_is_at_most_six (numbers/double)*",
            "it is 8",
            "  where: transformers/double.py:6 in test_it_is_at_most_six",
        ]
    )
    ended.stdout.no_fnmatch_line("*pytest_plugin*")


def test_tests_of_one_name_are_told_apart(project: Path, run: Pytest) -> None:
    twice = "@test\ndef test_it(number, *args):\n    assert number == {}\n"
    write(project, load="@data_loader\ndef load():\n    return 1\n" + twice.format(2) + twice.format(1))
    ended = run("-v", "-k", "test_it and not exporter")
    ended.stdout.fnmatch_lines(["numbers/load::test_it FAILED*", "numbers/load::test_it #2 PASSED*"])


def test_a_failing_loader_is_one_error(project: Path, run: Pytest) -> None:
    write(project, load=LOAD.replace("return", "raise ValueError('no numbers')\n    return"))
    ended = run("-rs")
    ended.assert_outcomes(errors=1, skipped=3)
    ended.stdout.fnmatch_lines(["pipeline 'numbers' could not be run: *no numbers*", "*not run: block 'load' failed"])


STREAM = """
import pandas as pd

@data_loader
def load(**kwargs):
    yield pd.DataFrame({'n': [1]})
    yield pd.DataFrame({'n': [2]})
    raise ValueError('no third batch')

@test
def test_it_is_small(numbers, *args):
    assert (numbers['n'] < 3).all()
"""


def test_a_test_of_some_batches_has_not_passed_where_the_stream_breaks(project: Path, run: Pytest) -> None:
    blocks = [block("load", "data_loader", configuration={"stream": True})]
    write_project(project, blocks, {"load": STREAM}, variables={"source": "here"})
    ended = run()
    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*could not be run: *no third batch*"])


def test_a_failing_block_without_tests_is_told(project: Path, run: Pytest) -> None:
    write(project, double="@transformer\ndef double(number):\n    raise ValueError('no doubles')\n", export=LOAD)
    ended = run("-k", "load")
    ended.assert_outcomes(passed=2, errors=1)
    ended.stdout.fnmatch_lines(["*ERROR at teardown*", "*no doubles*"])


def test_a_failing_test_that_no_file_names_is_told(project: Path, run: Pytest) -> None:
    write(project, load=f"{LOAD}\ndef named_otherwise(*args):\n    assert False\ntest(named_otherwise)\n")
    ended = run()
    ended.assert_outcomes(passed=2, errors=1, skipped=1)
    ended.stdout.fnmatch_lines(["*test 'named_otherwise' failed*"])


def test_pipelines_without_the_source_are_left_out(project: Path, run: Pytest) -> None:
    write(project)
    write_project(project, [block("load", "data_loader")], {}, pipeline="from_a_store")
    ended = run("--source", "there")
    ended.assert_outcomes(passed=3, skipped=1)
    ended.stdout.fnmatch_lines(["left out: from_a_store (no variable 'source')"])


def test_a_pipeline_is_chosen_by_name(project: Path, run: Pytest) -> None:
    write(project)
    write_project(project, [block("load", "data_loader")], {}, pipeline="load_alone")
    run("--pipeline", "load_alone").assert_outcomes(passed=2)
    ended = run("--pipeline", "load_alon")
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(["*there is no pipeline 'load_alon'. Did you mean 'load_alone'?*"])


NOT_YET = """
class NotYet(FileNotFoundError):
    not_published = True

@data_loader
def load():
    raise NotYet('there is no 2999-01')

@test
def test_it(*args):
    pass
"""


def test_what_is_not_published_is_an_error_only_where_it_is_asked_for(project: Path, run: Pytest) -> None:
    write(project, load=NOT_YET)
    ended = run("-rs")
    ended.assert_outcomes(skipped=3)
    ended.stdout.fnmatch_lines(["*not published: *there is no 2999-01*"])
    assert ended.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    run("--pipeline", "numbers").assert_outcomes(errors=1, skipped=2)


def test_a_pipeline_that_cannot_be_read_is_an_error_of_the_collection(project: Path, run: Pytest) -> None:
    write(project)
    (project / "data_loaders" / "load.py").write_text("def load(:\n")
    ended = run()
    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*load.py:1: not valid Python: *"])


def test_every_pipeline_runs_once_on_two_workers(project: Path, pytester: pytest.Pytester) -> None:
    for uuid in ("one", "two", "three"):
        write(project, uuid=uuid)
    ended = pytester.runpytest("--mage-project", project, "-n", "2")
    ended.assert_outcomes(passed=9, skipped=3)
    assert (project / "runs").read_text() == 3 * "once\n"


def test_other_tests_run_where_their_paths_are_named(project: Path, run: Pytest, pytester: pytest.Pytester) -> None:
    write(project)
    other = pytester.makepyfile("def test_other():\n    pass\n")
    run().assert_outcomes(passed=3, skipped=1)
    run(other).assert_outcomes(passed=4, skipped=1)
    pytester.runpytest().assert_outcomes(passed=1)


FRAME = """
import pandas as pd

@data_loader
def load():
    return pd.DataFrame({'zone': [1, 2, None], 'fare': [2.5, -1.0, 7.0]})
"""


def test_every_check_is_an_item(project: Path, run: Pytest) -> None:
    checks = [{"not_null": "zone"}, {"min": {"column": "fare", "value": 0}, "severity": "warn"}, {"not_null": "fare"}]
    loader = block("load", "data_loader", configuration={"checks": checks})
    write_project(project, [loader], {"load": FRAME})
    ended = run("-v")
    ended.assert_outcomes(passed=2, failed=1, warnings=1)
    ended.stdout.fnmatch_lines(
        ["p/load::not_null(zone) FAILED*", "p/load::min(fare) PASSED*", "p/load::not_null(fare) PASSED*"]
    )
    ended.stdout.fnmatch_lines(["*not_null(zone): 1 of 3 rows (33.33 %) are null", "*CheckWarning: p/load::min(fare)*"])

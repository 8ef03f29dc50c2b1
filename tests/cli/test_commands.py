import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mage_project.cli import cli
from tests.projects import block, write_pipeline, write_project

LOAD = """
import pandas as pd

@data_loader
def load(*args, **kwargs):
    print("loading", kwargs["size"])
    return pd.DataFrame({"n": range(kwargs["size"])})
"""
DOUBLE = """
@transformer
def double(frame, *args):
    return frame * 2

@test
def test_even(frame, *args):
    assert (frame.n % 2 == 0).all(), "odd"
"""


@pytest.fixture
def project(tmp_path):
    blocks = [block("load", "data_loader"), block("double", "transformer", "load")]
    return write_project(tmp_path, blocks, {"load": LOAD, "double": DOUBLE}, variables={"size": 3})


def test_run_ends_with_a_table_and_zero(project, mage_project):
    done = mage_project("run", "p")
    assert done.returncode == 0, done.stderr
    assert "load: loading 3" in done.stdout
    assert "✓ p completed" in done.stdout
    assert "1 of 1 tests passed" in done.stdout


def test_json_is_the_only_thing_on_standard_output(project, mage_project):
    done = mage_project("run", "p", "--json", "--var", "size=5")
    result = json.loads(done.stdout)
    assert (result["status"], result["error"]) == ("completed", None)
    assert result["blocks"][1]["rows_in"] == result["blocks"][1]["rows_out"] == 5
    assert result["blocks"][1]["tests"] == [{"name": "test_even", "passed": True, "message": None}]
    assert result["peak_rss_bytes"] > 1_000_000
    assert "loading 5" in done.stderr


@pytest.mark.parametrize(
    ("source", "exit_code", "said"),
    [
        ("@transformer\ndef double(frame):\n    return frame.m\n", 1, "transformers/double.py:3 in double"),
        ("@transformer\ndef double(frame)\n    return frame\n", 2, "transformers/double.py:2"),
        ("@data_loader\ndef double(frame):\n    return frame\n", 2, "has no @transformer function"),
        (DOUBLE.replace("% 2 == 0", "% 2 == 1"), 3, "test 'test_even' failed: odd"),
        ("import nonsense\n" + DOUBLE, 1, "No module named 'nonsense'"),
        ("raise ValueError('x')\n", 1, "transformers/double.py:1"),
    ],
)
def test_the_exit_code_says_what_went_wrong(project, mage_project, source, exit_code, said):
    (project.root / "transformers/double.py").write_text(source)
    done = mage_project("run", "p", "--json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["status"]) == (exit_code, "failed")
    assert said in result["error"]
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("words", [["--var", "nope"], ["--project", "nowhere"], ["--var", "execution_date=x"]])
def test_json_tells_of_every_wrong_usage(project, mage_project, words):
    done = mage_project("run", "p", "--json", *words)
    assert (done.returncode, json.loads(done.stdout)["status"]) == (2, "failed")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "q"], "there is no pipeline 'q'"),
        (["rnu", "p"], "Did you mean 'run'"),
        (["run", "p", "--var", "size"], "write --var name=value"),
        (["run", "p", "--project", "nowhere"], "there is no folder nowhere"),
        (["block", "dubble"], "Did you mean 'double'"),
        (["copy", "dubble", "."], "Did you mean 'double'"),
    ],
)
def test_wrong_usage_exits_with_two_and_says_what_was_meant(project, mage_project, words, said):
    done = mage_project(*words)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("run", "p", "--block-run-limit"),
        ("run", "p", "--sample"),
        ("run", "p", "--timeout"),
        ("run", "p", "--memory"),
        ("block", "load", "--sample"),
        ("backfill", "p", "--start", "2020", "--jobs"),
        ("scheduler", "--jobs"),
        ("schedule", "next", "-n"),
        ("runs", "list", "-n"),
        ("clean", "--keep-days"),
        ("clean", "--keep-runs"),
        ("clean", "--max-size"),
        ("check", "--data", "a.csv", "--rows"),
    ],
    ids=" ".join,
)
def test_a_number_that_nothing_can_count_is_wrong_usage(project, words):
    said = CliRunner().invoke(cli, [*words, f"{10**24}", "--project", str(project.root)])
    assert (said.exit_code, words[-1] in said.stderr) == (2, True), said.output


def test_json_tells_of_wrong_usage_as_well(project, mage_project):
    done = mage_project("run", "q", "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (2, "failed")


def test_json_tells_of_a_bad_command_line_before_the_run(project, mage_project):
    done = mage_project("run", "p", "--json", "--var", "execution_date=yesterday")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (2, "failed")


def test_a_killed_worker_still_leaves_json(tmp_path, mage_project):
    suicide = "import os, signal\n@data_loader\ndef load():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    write_project(tmp_path, [block("a", "data_loader")], {"a": suicide})
    done = mage_project("run", "p", "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (137, "failed")


def test_a_run_goes_on_when_nobody_reads_what_it_says(tmp_path):
    chatty = """
    import pathlib, time
    @data_loader
    def load():
        for n in range(2000):
            print("line", n)
        pathlib.Path("reached").touch()
    """
    write_project(tmp_path, [block("a", "data_loader")], {"a": chatty})
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = f"{sys.executable} -m mage_project run p | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "reached").exists()


def test_check_names_every_problem_and_runs_nothing(project, mage_project):
    (project.root / "transformers/double.py").write_text("print('running')\n")
    write_pipeline(project.root, "blocks:\n- uuid: a\n  type: nothing\n", pipeline="other")
    done = mage_project("check")
    assert done.returncode == 2
    assert "has no @transformer function" in done.stdout
    assert "pipelines/other/metadata.yaml:3" in done.stdout
    assert "running" not in done.stdout


def test_list_and_graph_show_what_is_there(project, mage_project):
    assert "p" in mage_project("list").stdout
    assert "double  (transformer)  ← load" in mage_project("graph", "p").stdout
    assert "b0 --> b1" in mage_project("graph", "p", "--mermaid").stdout


def test_a_block_runs_alone_on_what_the_last_run_kept(project, mage_project):
    mage_project("run", "p")
    done = mage_project("block", "double")
    assert done.returncode == 0, done.stderr
    assert "3 rows × 1 columns" in done.stdout


def test_a_block_runs_alone_on_a_file(project, mage_project):
    (project.root / "input.csv").write_text("n\n1\n2\n")
    done = mage_project("block", "double", "--input", "input.csv")
    assert done.returncode == 0, done.stderr
    assert "2 rows × 1 columns" in done.stdout


def test_a_block_without_kept_inputs_says_what_to_do(project, mage_project):
    done = mage_project("block", "double")
    assert done.returncode == 2
    assert "mage-project run p" in done.stderr


def test_an_exporter_is_not_given_a_part_for_the_whole(tmp_path, mage_project):
    loader = LOAD.replace("return pd.DataFrame", "yield pd.DataFrame") * 1 + "    yield pd.DataFrame({'n': [1]})\n"
    export = "@data_exporter\ndef export(frames, **kwargs):\n    print(sum(len(f) for f in frames))\n"
    stream = {"configuration": {"stream": True}}
    blocks = [block("load", "data_loader", **stream), block("out", "data_exporter", "load", **stream)]
    write_project(tmp_path, blocks, {"load": loader, "out": export}, variables={"size": 2})
    assert mage_project("run", "p").returncode == 0
    done = mage_project("block", "out")
    assert done.returncode == 2
    assert "a part for the whole" in done.stderr


def stream_project(root, size=2):
    """A stream of two batches, of `size` rows and of one."""
    loader = LOAD.replace("return pd.DataFrame", "yield pd.DataFrame") + "    yield pd.DataFrame({'n': [1]})\n"
    export = "@data_exporter\ndef export(frames, **kwargs):\n    print(sum(len(f) for f in frames))\n"
    passing = "@transformer\ndef passing(frame, *args):\n    assert 1 not in set(frame.n), 'one'\n    return frame\n"
    stream = {"configuration": {"stream": True}}
    blocks = [
        block("load", "data_loader", **stream),
        block("passing", "transformer", "load", **stream),
        block("out", "data_exporter", "passing", **stream),
    ]
    return write_project(root, blocks, {"load": loader, "passing": passing, "out": export}, variables={"size": size})


def test_a_block_that_was_tried_on_a_part_is_not_taken_for_the_whole(tmp_path, mage_project):
    stream_project(tmp_path)
    (tmp_path / "transformers/passing.py").write_text("@transformer\ndef passing(frame):\n    return frame\n")
    assert mage_project("run", "p").returncode == 0
    for _ in range(2):
        tried = mage_project("block", "passing")
        assert tried.returncode == 0, tried.stderr
        assert "on the beginning of 'load' in the last run, 2 rows" in tried.stdout
    assert mage_project("block", "out").returncode == 2


def test_what_a_failed_run_gave_is_not_taken_for_the_whole(tmp_path, mage_project):
    stream_project(tmp_path, size=1)
    assert mage_project("run", "p").returncode == 1
    assert mage_project("block", "out").returncode == 2


def test_a_terminal_shows_each_line_once(project, tmp_path):
    master, slave = pty.openpty()
    slow = LOAD.replace("    return", "    time.sleep(0.5)\n    return")
    (project.root / "data_loaders/load.py").write_text(f"import time\n{slow}")
    command = [sys.executable, "-m", "mage_project", "run", "p"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}
    with subprocess.Popen(command, cwd=project.root, env=env, stdout=slave, stderr=slave) as running:
        os.close(slave)
        said = b"".join(iter(lambda: _read(master), b""))
    os.close(master)
    assert running.returncode == 0
    assert said.count(b"loading 3") == 1


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other end is closed
        return b""


def test_copy_brings_the_modules_that_a_block_imports(project, mage_project, tmp_path):
    (project.root / "shared").mkdir()
    (project.root / "shared/words.py").write_text("from shared.more import WORD\n")
    (project.root / "shared/more.py").write_text("WORD = 'hello'\n")
    (project.root / "shared/unused.py").write_text("")
    (project.root / "data_loaders/load.py").write_text("from shared.words import WORD\n" + LOAD)
    target = tmp_path / "other"
    target.mkdir()
    done = mage_project("copy", "load", str(target))
    assert done.returncode == 0, done.stderr
    copied = sorted(str(path.relative_to(target)) for path in target.rglob("*.py"))
    assert copied == ["data_loaders/load.py", "shared/more.py", "shared/words.py"]


def test_copy_does_not_write_over_what_differs(project, mage_project, tmp_path):
    target = tmp_path / "other"
    (target / "data_loaders").mkdir(parents=True)
    (target / "data_loaders/load.py").write_text("mine\n")
    assert mage_project("copy", "load", str(target)).returncode == 2
    assert (target / "data_loaders/load.py").read_text() == "mine\n"
    assert mage_project("copy", "load", str(target), "--force").returncode == 0


def test_every_command_explains_itself(mage_project):
    for words in ([], ["run"], ["block"], ["check"], ["list"], ["graph"], ["copy"], ["local"], ["local", "up"]):
        done = mage_project(*words, "--help")
        assert done.returncode == 0
        assert "Usage:" in done.stdout


def test_no_password_is_shown_of_what_a_block_prints(tmp_path, mage_project):
    write_project(
        tmp_path, [block("a", "data_loader")], {"a": "@data_loader\ndef a():\n    print('db://me:pw@host')\n"}
    )
    for words in ((), ("--json",)):
        done = mage_project("run", "p", *words)
        assert "a: db://me:***@host" in done.stdout + done.stderr


def test_places_are_told_from_the_project_s_root_wherever_the_command_runs(project, mage_project, tmp_path):
    (project.root / "transformers/double.py").write_text("def (:\n")
    done = mage_project("run", "p", "--project", str(project.root), cwd=tmp_path.parent)
    assert "where: transformers/double.py:1" in done.stdout
    (project.root / "io_config.yaml").write_text("default:\n  A: [1\n")
    done = mage_project("check", "--io", "--project", str(project.root), cwd=tmp_path.parent)
    assert "where: io_config.yaml:3\n  next:  " in done.stderr

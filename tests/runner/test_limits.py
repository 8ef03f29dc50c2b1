"""How far runs may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mage_project.errors import ConfigError
from mage_project.project import Project
from mage_project.runner.limits import Limits
from mage_project.runner.resuming import plan, resume
from mage_project.runner.running import run_pipeline
from tests.projects import block, write_project

#: Waits for what never comes.
FOREVER = "import threading\n@{0}\ndef it(*given, **kwargs):\n    threading.Event().wait()\n"


def forever(root: Path, **more: Any) -> Project:
    return write_project(root, [block("it", "custom", **more)], {"it": FOREVER.format("custom")})


def test_a_block_ends_at_its_timeout(tmp_path):
    record = run_pipeline(forever(tmp_path, timeout=0.1), "p")
    assert (record.status, record.block("it").status) == ("failed", "failed")
    assert (record.error or "").startswith("block 'it' took longer than its timeout of 0.1 s")


#: Catches what ends it, and goes on to write a file.
STUBBORN = """
import time
import pandas as pd
from mage_ai.io.file import FileIO

@data_exporter
def it(*given, **kwargs):
    try:
        time.sleep(60)
    except:
        pass
    FileIO().export(pd.DataFrame({"n": [1]}), kwargs["target"])
"""


def test_a_block_that_catches_its_timeout_and_goes_on_has_failed_and_written_nothing(tmp_path):
    target = tmp_path / "n.csv"
    project = write_project(tmp_path, [block("it", "data_exporter", timeout=0.2)], {"it": STUBBORN})
    record = run_pipeline(project, "p", {"target": str(target)})
    assert "block 'it' took longer than its timeout of 0.2 s" in (record.error or "")
    assert not target.exists()


def test_a_stream_ends_at_the_timeout_of_one_of_its_blocks(tmp_path):
    stream = {"configuration": {"stream": True}}
    load = "import pandas as pd\n@data_loader\ndef load(**kwargs):\n    yield pd.DataFrame({'n': [1]})\n"
    out = "import time\n@data_exporter\ndef out(frames, **kwargs):\n    for _ in frames:\n        time.sleep(0.5)\n"
    blocks = [block("load", "data_loader", **stream), block("out", "data_exporter", "load", timeout=0.1, **stream)]
    record = run_pipeline(write_project(tmp_path, blocks, {"load": load, "out": out}), "p")
    assert record.block("out").status == "failed"
    assert record.block("load").status != "completed"


def test_a_run_ends_at_its_timeout(tmp_path):
    record = run_pipeline(forever(tmp_path), "p", limits=Limits(timeout_s=0.1))
    assert "the run took longer than its timeout of 0.1 s: it was ended in block 'it'" in (record.error or "")


def test_a_timeout_that_is_none_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="'timeout' must be a number of seconds, 31,622,400 at the most, not 'long'"):
        forever(tmp_path, timeout="long").pipeline("p")


RUN = "@custom\ndef {0}(*given, **kwargs):\n    return 1\n"
FAIL = "@custom\ndef {0}(*given, **kwargs):\n    if kwargs.get('broken', True):\n        raise ValueError('{0}')\n"


def test_blocks_that_need_none_that_failed_still_run_and_the_rest_is_resumed(tmp_path):
    blocks = [
        *(block("a", "custom"), block("b", "custom", "a"), block("c", "custom", "b"), block("d", "custom", "a", "c")),
        *(block("e", "custom", "a"), block("f", "custom")),
    ]
    code = {name: (FAIL if name in "bf" else RUN).format(name) for name in "abcdef"}
    record = run_pipeline(write_project(tmp_path, blocks, code), "p", limits=Limits(blocks_may_fail=True))
    assert {each.uuid: each.status for each in record.blocks} == {
        **{"a": "completed", "b": "failed", "c": "upstream_failed", "d": "upstream_failed"},
        **{"e": "completed", "f": "failed"},
    }
    assert (record.status, record.exit_code) == ("failed", 1)
    assert (record.error or "").startswith("2 blocks failed\nValueError: b\n")
    made = plan(Project(tmp_path), record.run_id, {"broken": False})
    assert [step.block for step in made.steps if step.action == "run"] == ["b", "c", "d", "f"]
    assert resume(made).error is None

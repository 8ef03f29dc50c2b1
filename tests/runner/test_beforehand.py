"""A block that can never be run is found before another one has written anything."""

from __future__ import annotations

import pytest

from mage_project.runner.running import run_pipeline
from tests.projects import block, write_project

LOAD = "@data_loader\ndef load(**kwargs):\n    return 1\n"
WRITE = "@data_exporter\ndef write(n, **kwargs):\n    kwargs['seen'].append(n)\n"
GUARD = "if 'transformer' not in globals():\n    from mage_ai.data_preparation.decorators import transformer\n"


def run(tmp_path, code, seen):
    """The record. The exporter before the block writes to `seen`."""
    blocks = [block("load", "data_loader"), block("w", "data_exporter", "load"), block("t", "transformer", "w", "load")]
    return run_pipeline(write_project(tmp_path, blocks, {"load": LOAD, "w": WRITE, "t": code}), "p", {"seen": seen})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("@transformer\ndef t(n)\n    return n\n", "is not valid Python: expected ':'\n  where: transformers/t.py:2"),
        ("@transformer\ndef t(n):\n    pass\nreturn 1\n", "is not valid Python: 'return' outside function"),
        (GUARD + "def t(n):\n    return n\n", "has no @transformer function\n  where: transformers/t.py\n  next:  dec"),
        ("import math\n@data_loader\ndef t(n):\n    return n\n", "it has @data_loader: is the block's type right?"),
    ],
    ids=["syntax", "return", "no decorator", "another type"],
)
def test_a_block_that_cannot_run_has_failed_before_anything_is_written(tmp_path, code, said, seen):
    record = run(tmp_path, code, seen)
    assert said in record.error
    assert (record.exit_code, seen) == (2, [])
    assert [(each.status, each.error) for each in record.blocks][1:] == [("pending", None), ("failed", record.error)]


@pytest.mark.parametrize(
    "code",
    [
        GUARD + "@transformer\ndef t(*given, **kwargs):\n    return 2\n",
        "from mage_ai.data_preparation.decorators import transformer as mine\n@mine\ndef t(*given):\n    return 2\n",
        "from mage_ai.data_preparation import decorators as d\n@d.transformer()\ndef t(*given):\n    return 2\n",
        "def t(*given):\n    return 2\ntransformer(t)\n",
        "def t(*given):\n    return 2\nglobals()['trans' + 'former'](t)\n",
        "from shop.functions import t\n",
    ],
    ids=["guard", "renamed", "of a module", "called", "unseen", "of the project"],
)
def test_a_function_that_is_decorated_in_another_way_runs(tmp_path, code, seen):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/functions.py").write_text(
        "from mage_ai.data_preparation.decorators import transformer\n@transformer\ndef t(*given):\n    return 2\n"
    )
    record = run(tmp_path, code, seen)
    assert (record.error, seen) == (None, [1])

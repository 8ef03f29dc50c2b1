"""Names that nobody defines are found by reading a file."""

from __future__ import annotations

import pytest

from mage_project.cli.inspection import problems_of
from mage_project.runner.undefined import undefined
from tests.projects import block, write_project


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("@condition\ndef c(*args, **kwargs):\n    return nope\n", [(3, "the name 'nope' is not defined.")]),
        ("import pandas\nx = panda.DataFrame\n", [(2, "the name 'panda' is not defined. Did you mean 'pandas'?")]),
        ("def f(rows) -> DataFrame:\n    return rows\n", [(1, "the name 'DataFrame' is not defined.")]),
    ],
)
def test_a_name_that_nobody_defines_is_found_with_its_first_line(tmp_path, source, found):
    (tmp_path / "a.py").write_text(source)
    assert list(undefined(tmp_path / "a.py")) == found


@pytest.mark.parametrize(
    "source",
    [
        "if 'test' not in globals():\n    from mage_ai.data_preparation.decorators import test\n@test\ndef f(): pass\n",
        "from math import *\nprint(pi)\n",
        "globals()['x'] = 1\nprint(x)\n",
        "def f():\n    global n\n    n = 1\nprint(n)\n",
        "def f(a):\n    return [b for b in a if (c := b)], lambda d: (d, f, __file__)\n",
        "try:\n    pass\nexcept Exception as error:\n    print(error)\n",
        "class A:\n    x = 1\n    def m(self):\n        return __class__, self.x\n",
        "from __future__ import annotations\ndef f(x: Later): pass\n",
        "no python",
    ],
)
def test_nothing_is_found_where_names_are_defined_or_may_be(tmp_path, source):
    (tmp_path / "a.py").write_text(source)
    assert list(undefined(tmp_path / "a.py")) == []


def test_check_warns_of_it(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader")], {"a": "@data_loader\ndef f():\n    return nope\n"})
    (problem,) = problems_of(project, "p")
    assert (problem.line, problem.warning, problem.message) == (3, True, "the name 'nope' is not defined.")

"""Cases in which the runner is not Mage, on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.conformance.cases import FRAME, LOOK, ONE, Case, loader, returning, two

AS_THEY_ARE = "Mage writes values to files and reads them back; here they are handed on as they are"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What blocks saw, line by line, or the error that the pipeline ended with: in Mage, here, and why."""

    case: Case
    why: str
    in_mage: list[list[Any]] | str
    here: list[list[Any]] | str


TWELVE = list(range(12))

DIFFERENT = [
    Difference(
        case=returning("list(range(12))", "more than ten outputs"),
        why="Mage sorts outputs by name, so that output_10 comes before output_2",
        in_mage=[["the test", *TWELVE], [[0, 1, 10, 11, *range(2, 10)]], [[0, 1, 8, 9, 10, 11, *range(2, 8)]]],
        here=[["the test", *TWELVE], [TWELVE], [TWELVE]],
    ),
    Difference(
        case=returning("{1: (2, 3)}", "a dict that is not json"),
        why=AS_THEY_ARE,
        in_mage=[["the test", {"1": [2, 3]}], [{"1": [2, 3]}], [{"1": [2, 3]}]],
        here=[["the test", {"int 1": "tuple: (2, 3)"}], [{"int 1": "tuple: (2, 3)"}], [{"int 1": "tuple: (2, 3)"}]],
    ),
    Difference(
        case=returning("b'word'", "bytes"),
        why=AS_THEY_ARE,
        in_mage=[["the test", "word"], ["word"], ["word"]],
        here=[["the test", "bytes: b'word'"], ["bytes: b'word'"], ["bytes: b'word'"]],
    ),
    Difference(
        case=returning("float('nan')", "not a number"),
        why=AS_THEY_ARE,
        in_mage=[["the test", None], [None], [[]]],
        here=[["the test", "nan"], ["nan"], ["nan"]],
    ),
    Difference(
        case=two(
            "columns named by numbers",
            FRAME.replace("'n'", "0"),
            """
            @transformer
            def look(frame):
                saw(list(frame.columns))
            """,
        ),
        why=AS_THEY_ARE,
        in_mage=[[["0"]]],
        here=[[[0]]],
    ),
    Difference(
        case=two("a generator", ONE.replace("return", "yield"), LOOK),
        why="Mage hands on the name of its type; here it is an error, unless the block streams",
        in_mage=[["builtins.generator"]],
        here="is a generator",
    ),
    Difference(
        case=loader(
            "decorators imported without a guard",
            """
            from mage_ai.data_preparation.decorators import data_loader

            @data_loader
            def load():
                saw('it runs')
            """,
        ),
        why="in Mage the imported decorator hides the one that it looks at; here both count",
        in_mage="does not have any decorated functions",
        here=[["it runs"]],
    ),
    Difference(
        case=loader(
            "a test's decorator imported without a guard",
            """
            from mage_ai.data_preparation.decorators import test

            @data_loader
            def load():
                return 1

            @test
            def check(output):
                saw('it is tested')
            """,
        ),
        why="in Mage the imported decorator hides the one that it looks at, and nothing is tested; here both count",
        in_mage=[],
        here=[["it is tested"]],
    ),
    Difference(
        case=loader(
            "a decorator that is called",
            """
            @data_loader()
            def load():
                saw('it runs')
            """,
        ),
        why="there is only one thing that it can mean",
        in_mage="missing 1 required positional argument: 'function'",
        here=[["it runs"]],
    ),
    Difference(
        case=loader(
            "parameters with defaults",
            """
            @data_loader
            def load(month='2020-10', *args, **kwargs):
                saw(month)
            """,
        ),
        why="Mage counts every parameter as an input; here Python decides",
        in_mage="may be missing upstream dependencies",
        here=[["2020-10"]],
    ),
    Difference(
        case=loader(
            "a module of the project, imported by itself",
            """
            from helping.words import word

            @data_loader
            def load():
                saw(word())
            """,
        ),
        why="Mage looks only in the folder above the project; here in the project too",
        in_mage="No module named 'helping'",
        here=[["hello"]],
    ),
    Difference(
        case=loader(
            "tests that change the frame they share",
            """
            import pandas as pd

            @data_loader
            def load():
                return pd.DataFrame({'n': [1]})

            @test
            def check(frame):
                frame['n'] = 9

            @test
            def check(frame):
                saw(list(frame['n']))
            """,
        ),
        why="what a reader changes no other reader sees, and tests are readers",
        in_mage=[[[9]]],
        here=[[[1]]],
    ),
    Difference(
        case=loader(
            "keyword arguments of scheduled runs",
            """
            @data_loader
            def load(**kwargs):
                saw(*(name for name in ('ds', 'event', 'execution_date', 'hr', 'logger') if name in kwargs))
            """,
        ),
        why="`mage run` leaves out what blocks rely on; here it is always given",
        in_mage=[[]],
        here=[["ds", "event", "execution_date", "hr", "logger"]],
    ),
    Difference(
        case=two("entries that do not name their downstream blocks", ONE, LOOK, downstream=False),
        why="Mage passes over the blocks behind them without a word; here upstream_blocks is enough",
        in_mage=[],
        here=[[1]],
    ),
    Difference(
        case=two("inputs among the globals", ONE, f"saw('df_1' in globals())\n{LOOK}"),
        why="Mage also puts the inputs into the namespace of the file, but its documentation does not say so",
        in_mage=[[True], [1]],
        here=[[False], [1]],
    ),
]

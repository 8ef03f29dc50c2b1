"""Cases in which blocks see the same in real Mage and here, and the pipeline ends the same way."""

from __future__ import annotations

import datetime as dt

from tests.conformance.cases import (
    FRAME,
    LOOK,
    LOOK_AS_CUSTOM,
    LOOK_AS_EXPORTER,
    ONE,
    TWO,
    Case,
    loader,
    returning,
    two,
)
from tests.projects import block

GUARDS = """
if 'data_loader' not in globals():
    from mage_ai.data_preparation.decorators import data_loader
if 'test' not in globals():
    from mage_ai.data_preparation.decorators import test
"""
CHECKED = """
@data_loader
def load(*args, **kwargs):
    return 1

@test
def check(output, *args) -> None:
    saw(output)
"""

RETURNED = [
    *map(
        returning,
        (
            *("None", "7", "1.5", "0", "False", "'word'", "''", "{'a': 1, 'b': [1, 2]}", "{}"),
            *("[]", "[1]", "[1, 2, 3]", "[[1, 2], [3]]", "[{'a': 1}, {'a': 2}]", "[None]"),
            *("()", "(1,)", "(1, 'b')", "(None, 1)", "('{\"a\": 1}', 'select 1', '')"),
            *("dt.datetime(2020, 1, 2, 3)", "dt.date(2020, 1, 2)", "Decimal('1.10')", "pa.table({'n': [1]})"),
        ),
    ),
    returning("pd.DataFrame({'n': [1, 2], 's': ['a', None]})", "a frame"),
    returning("pd.DataFrame({'n': [1, 2]}, index=[5, 6])", "a frame with an index"),
    returning("pd.DataFrame({'n': []})", "an empty frame"),
    returning("[pd.DataFrame({'n': [1]})]", "a list of one frame"),
    returning("[pd.DataFrame({'n': [1]}), pd.DataFrame({'n': [2]})]", "a list of frames"),
    returning("(pd.DataFrame({'n': [1]}), pd.DataFrame({'n': [2]}))", "a tuple of frames"),
    returning("(pd.DataFrame({'n': [1]}), 5)", "a frame and a number"),
    returning("{'f': pd.DataFrame({'n': [1]})}", "a dict with a frame"),
    returning("pd.Series([1, 2], name='n')", "a series"),
    returning("pd.DataFrame({'c': pd.Categorical(['a', 'b'])})", "categories"),
    returning("pd.DataFrame({'t': pd.to_datetime(['2020-01-01 01:02:03'])})", "times"),
    returning("pd.DataFrame({'t': pd.to_datetime(['2020-01-01'], utc=True)})", "times of a zone"),
    returning("pd.DataFrame({'n': pd.array([1, None], dtype=pd.ArrowDtype(pa.int64()))})", "arrow numbers"),
    returning("pd.DataFrame({'d': pd.array([dt.date(2020, 1, 2)], dtype=pd.ArrowDtype(pa.date32()))})", "arrow dates"),
    returning(
        "pd.DataFrame({'t': pd.array([dt.datetime(2020, 1, 1, 1, 2, 3, 456789)],"
        " dtype=pd.ArrowDtype(pa.timestamp('us')))})",
        "arrow times",
    ),
]

INPUTS = [
    Case(
        what="inputs in the order of upstream_blocks, a block listed before them",
        blocks=[block("c", "transformer", "b", "a"), block("a", "data_loader"), block("b", "data_loader")],
        code={"a": ONE, "b": TWO, "c": LOOK},
    ),
    Case(
        what="several blocks with several outputs",
        blocks=[
            block("a", "data_loader"),
            block("b", "data_loader"),
            block("c", "transformer", "a", "b"),
            block("d", "data_exporter", "c", "a"),
        ],
        code={
            "a": ONE.replace("1", "1, 2"),
            "b": ONE.replace("1", "[3]"),
            "c": """
            @transformer
            def join(a, b, *args):
                saw(a, b, *args)
                return [*a, b]

            @test
            def check(one, two, three):
                saw(one, two, three)
            """,
            "d": LOOK_AS_EXPORTER,
        },
    ),
    two(
        "a transformer that wants no input",
        ONE,
        """
        @transformer
        def look():
            saw()
        """,
    ),
    two(
        "a transformer that wants one more input",
        ONE,
        """
        @transformer
        def look(one, other):
            saw(one, other)
        """,
    ),
    Case(
        what="a loader behind an exporter",
        blocks=[block("a", "data_loader"), block("b", "data_exporter", "a"), block("c", "data_loader", "b")],
        code={"a": ONE, "b": LOOK_AS_EXPORTER, "c": LOOK.replace("transformer", "data_loader")},
    ),
    Case(
        what="a loader behind an exporter that wants no input",
        blocks=[block("a", "data_loader"), block("b", "data_exporter", "a"), block("c", "data_loader", "b")],
        code={
            "a": ONE,
            "b": LOOK_AS_EXPORTER,
            "c": """
            @data_loader
            def load(**kwargs):
                saw()
            """,
        },
    ),
    Case(
        what="siblings that change the frame they share",
        blocks=[
            block("a", "data_loader"),
            block("b", "data_exporter", "a"),
            block("c", "data_exporter", "a", "b"),
            block("d", "data_exporter", "c", "a"),
        ],
        code={
            "a": FRAME,
            "b": """
            @data_exporter
            def spoil(frame, **kwargs):
                frame['n'] = 9
                frame.drop(columns='n', inplace=True)
            """,
            "c": """
            @data_exporter
            def look(frame, *args, **kwargs):
                saw(frame)
                frame['n'] = 8
                return frame
            """,
            "d": LOOK_AS_EXPORTER,
        },
    ),
    Case(
        what="siblings that change the dict they share",
        blocks=[block("a", "data_loader"), block("b", "custom", "a"), block("c", "custom", "a", "b")],
        code={
            "a": ONE.replace("1", "{'words': ['a']}"),
            "b": """
            @custom
            def spoil(value, *args):
                value['words'].append('b')
                return value
            """,
            "c": LOOK_AS_CUSTOM,
        },
    ),
    Case(
        what="a loader behind a sensor",
        blocks=[block("a", "sensor"), block("b", "data_loader", "a")],
        code={
            "a": """
            @sensor
            def look(*args, **kwargs):
                saw(*args)
                return True
            """,
            "b": LOOK.replace("transformer", "data_loader"),
        },
    ),
    two(
        "a preprocesser, which runs first on the same inputs",
        FRAME,
        """
        @preprocesser
        def prepare(frame, *args, **kwargs):
            saw(kwargs['block_uuid'])
            frame['n'] = 0
            return 5

        @transformer
        def look(*args, **kwargs):
            saw(*args)
        """,
    ),
]

#: The keyword arguments that `mage run` gives to every block.
GIVEN_BY_MAGE = ("block_uuid", "configuration", "context", "env", "pipeline_uuid", "repo_path")
VARIABLES = {
    "text": "2020-10",
    "number": 1,
    "part": 1.5,
    "yes": True,
    "nothing": None,
    "words": ["a", "b"],
    "deep": {"a": {"b": [1, {"c": 2}]}},
    "numbered": {1: "one"},
    "day": dt.date(2020, 1, 2),
    "moment": dt.datetime(2020, 1, 2, 3, 4, 5),
    "over": "the pipeline's",
}
SHOW_KEYWORDS = f"""
def show(kwargs):
    saw([[name, kwargs[name]] for name in {[*GIVEN_BY_MAGE, *VARIABLES]}])

@data_loader
def look(*args, **kwargs):
    show(kwargs)
    return 1

@test
def check(*args, **kwargs):
    show(kwargs)
"""

KEYWORDS = [
    Case(
        what="keyword arguments of blocks and of their tests",
        blocks=[
            block("a", "data_loader", configuration={"limit": 10, "deep": {"a": [1]}}),
            block("b", "transformer", "a"),
            block("c", "data_exporter", "b"),
        ],
        code={
            "a": SHOW_KEYWORDS,
            "b": SHOW_KEYWORDS.replace("data_loader", "transformer"),
            "c": SHOW_KEYWORDS.replace("data_loader", "data_exporter"),
        },
        variables=VARIABLES,
        given={"over": "the run's", "number": 2, "words": ["c"], "deep": {"x": 1}, "text": "2020-11-01", "yes": None},
    ),
    Case(
        what="functions that take no keyword arguments",
        blocks=[block("a", "data_loader"), block("b", "transformer", "a"), block("c", "data_exporter", "b")],
        code={
            "a": """
            @data_loader
            def load():
                return 1

            @test
            def check(output):
                saw(output)
            """,
            "b": """
            @transformer
            def look(value):
                saw(value)
                return value
            """,
            "c": """
            @data_exporter
            def look(value, *args):
                saw(value, *args)
            """,
        },
        variables={"value": 9},
    ),
    two(
        "a context that the blocks of a run share",
        """
        @data_loader
        def load(**kwargs):
            kwargs['context']['word'] = 'hello'
            kwargs['mine'] = 1
            return 1
        """,
        """
        @transformer
        def look(*args, **kwargs):
            saw(kwargs['context'], 'mine' in kwargs)
        """,
    ),
    loader(
        "variables that blocks ask for",
        """
        from mage_ai.data_preparation.repo_manager import get_repo_path
        from mage_ai.data_preparation.variable_manager import get_global_variable

        @data_loader
        def load(**kwargs):
            name = kwargs['pipeline_uuid']
            saw(get_repo_path(), get_global_variable(name, 'x'), get_global_variable(name, 'y'))
        """,
        variables={"x": {"a": [1]}},
        given={"x": 2},
    ),
]

FILES = [
    loader(
        "two functions with the decorator",
        """
        @data_loader
        def first():
            saw(1)

        @data_loader
        def second():
            saw(2)
        """,
    ),
    loader(
        "a function with another decorator before it",
        """
        from mage_ai.data_preparation.decorators import transformer

        @transformer
        def other():
            saw('other')

        @data_loader
        def load():
            saw('load')
        """,
    ),
    loader(
        "no function with the decorator",
        """
        def load():
            saw()
        """,
    ),
    loader("mage's guards", GUARDS + CHECKED),
    loader("neither guards nor imports", CHECKED),
    loader(
        "code of the module",
        """
        import os

        saw('data_loader' in globals(), 'test' in globals(), __name__ == '__main__', os.getcwd())
        os.environ['SET_ABOVE'] = 'yes'

        @data_loader
        def load():
            return helper()

        def helper():
            return LATER

        LATER = 7

        @test
        def check(output):
            saw(output, os.environ['SET_ABOVE'])
        """,
    ),
    two(
        "what a module leaves for the next",
        """
        import os

        os.environ['LEFT'] = 'yes'
        LEFT = 1

        @data_loader
        def load():
            return 1
        """,
        """
        import os

        saw(os.environ['LEFT'], 'LEFT' in globals())

        @transformer
        def look(*args):
            saw(*args)
        """,
    ),
    loader(
        "a module of the project, imported through the project's folder",
        """
        from idioms.helping.words import word
        from mage_ai.settings.repo import get_repo_path

        @data_loader
        def load(**kwargs):
            saw(word(), get_repo_path() == kwargs['repo_path'])
        """,
    ),
    two(
        "a block that fails",
        """
        @data_loader
        def load():
            saw('the trips are looked for')
            raise ValueError('no trips')
        """,
        LOOK,
    ),
    loader(
        "a syntax error",
        """
        saw('the beginning of the file')

        @data_loader
        def load(:
        """,
    ),
    Case(
        what="markdown and scratchpads",
        blocks=[
            block("m", "markdown", language="markdown"),
            block("s", "scratchpad"),
            block("a", "data_loader"),
            block("b", "custom", "a"),
        ],
        code={"s": "saw('the scratchpad')\n", "a": ONE, "b": LOOK_AS_CUSTOM},
    ),
    Case(
        what="entries without a language",
        blocks=[
            {"uuid": "a", "type": "data_loader", "upstream_blocks": []},
            {"uuid": "b", "type": "custom", "upstream_blocks": ["a"]},
        ],
        code={"a": ONE, "b": LOOK_AS_CUSTOM},
    ),
]

TESTS = [
    loader(
        "tests of one name",
        """
        @data_loader
        def load():
            return 1

        @test
        def check(output, *args):
            saw('first')

        @test
        def check(output, *args):
            saw('second')
            return 'well done'
        """,
    ),
    two(
        "a failing test among others of its name",
        """
        @data_loader
        def load():
            return 1

        @test
        def check(output, *args):
            saw('first')
            assert output == 2, 'not two'

        @test
        def check(output, *args):
            saw('second')
        """,
        LOOK,
    ),
    two(
        "a test that raises something else",
        """
        @data_loader
        def load():
            return 1

        @test
        def check(output, *args):
            saw('first')
            1 / 0

        @test
        def check(output, *args):
            saw('second')
        """,
        LOOK,
    ),
    loader(
        "a test of a block that returned nothing",
        """
        @data_loader
        def load():
            pass

        @test
        def check(output, *args):
            saw(output)
        """,
    ),
    two(
        "a test that changes the output",
        """
        import pandas as pd

        @data_loader
        def load():
            return pd.DataFrame({'n': [1]})

        @test
        def check(frame):
            frame['n'] = 9
        """,
        LOOK,
    ),
]

SAME = [*RETURNED, *INPUTS, *KEYWORDS, *FILES, *TESTS]

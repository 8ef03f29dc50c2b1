"""Pipelines of kinds of blocks that only Mage's scheduler runs: dynamic, with conditions, with callbacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.cases import Case
from tests.conformance.differences import Difference
from tests.projects import block

#: Where a pipeline lists the blocks that others call, by the type of those blocks.
ADDONS = {"callback": "callbacks", "conditional": "conditionals"}
DYNAMIC = {"configuration": {"dynamic": True}}
REDUCE = {"configuration": {"reduce_output": True}}
#: Tells its inputs, its number among its siblings, its name, and the metadata that came with the items.
EACH = """
@transformer
def each(*args, **kwargs):
    given = [dict(value) if type(value).__name__ == 'Series' else value for value in args]
    saw(given, kwargs.get('dynamic_block_index'), kwargs['block_uuid'], {n: kwargs[n] for n in 'xy' if n in kwargs})
    return given[0] if len(given) == 1 else str(given)
"""
END = """
@custom
def end(*args, **kwargs):
    saw('end', *args, kwargs.get('x'))
"""


@dataclass(frozen=True, kw_only=True)
class Kind(Case):
    """A case with callbacks and conditionals among its blocks; their upstream blocks are those that they belong to."""

    def write(self, project: Path) -> None:
        super().write(project)
        path = project / "pipelines" / self.uuid / "metadata.yaml"
        content = yaml.safe_load(path.read_text())
        for kind, key in ADDONS.items():
            content[key] = [entry for entry in content["blocks"] if entry["type"] == kind]
        content["blocks"] = [entry for entry in content["blocks"] if entry["type"] not in ADDONS]
        for entry in content["blocks"]:
            if "replicated_block" in entry:
                entry["replicated_block"] = f"{self.uuid}_{entry['replicated_block']}"
        path.write_text(yaml.safe_dump(content, sort_keys=False))


def items(expression: str, what: str | None = None, *, child: str = EACH) -> Kind:
    """A dynamic loader that returns the expression, a child of it, and a block that gets all that the children gave."""
    blocks = [block("a", "data_loader", **DYNAMIC), block("b", "transformer", "a", **REDUCE), block("c", "custom", "b")]
    return Kind(what=what or f"items {expression}", blocks=blocks, code={"a": load(expression), "b": child, "c": END})


def load(expression: str) -> str:
    return f"import pandas as pd\n\n@data_loader\ndef load(*args, **kwargs):\n    return {expression}\n"


def giving(expression: str) -> str:
    return f"import pandas as pd\n\n@transformer\ndef give(n, *args, **kwargs):\n    return {expression}\n"


def dynamic(what: str, blocks: Sequence[Mapping[str, Any]], **code: str) -> Kind:
    given = {"transformer": EACH, "custom": END}
    return Kind(what=what, blocks=blocks, code={b["uuid"]: code.get(b["uuid"]) or given[b["type"]] for b in blocks})


def called_back(what: str, callback: str, *, loads: str = "7") -> Kind:
    blocks = [block("a", "data_loader"), block("b", "custom", "a"), block("q", "callback", "a")]
    return Kind(what=f"callback: {what}", blocks=blocks, code={"a": load(loads), "b": END, "q": callback})


def asked(what: str, condition: str) -> Kind:
    blocks = [
        block("z", "data_loader"),
        block("o", "custom", "z"),
        block("a", "transformer", "z"),
        block("b", "custom", "a", "z"),
        block("q", "conditional", "a"),
    ]
    code = {"z": load("7"), "a": EACH, "b": END, "o": END.replace("'end'", "'other'"), "q": condition}
    return Kind(what=f"condition: {what}", blocks=blocks, code=code)


BOTH = """
@callback('success')
def well(parent, **kwargs):
    saw('success', parent, kwargs['block_uuid'], kwargs['parent_block_uuid'], kwargs.get('__error'))

@callback('failure')
def badly(parent, **kwargs):
    saw('failure', parent, kwargs['block_uuid'], kwargs['parent_block_uuid'])
"""
TWO = [block("a", "data_loader", **DYNAMIC), block("b", "data_loader", **DYNAMIC)]

SAME = [
    items("[[{'id': 1}, {'id': 2}], [{'block_uuid': 'one', 'x': 5}, {'block_uuid': 'two', 'x': 6}]]"),
    items("[[{'id': 1}, {'id': 2}]]"),
    items("[[10, 20, 30], []]"),
    items("[['a', 'b'], [{'x': 1}]]"),
    items("([1, 2], [{'x': 1}, {'x': 2}])"),
    items("pd.DataFrame({'n': [1, 2], 's': ['a', 'b']})"),
    items("[pd.DataFrame({'n': [1, 2], 's': ['a', 'b']}), [{'x': 1}, {'x': 2}]]"),
    items("[[pd.DataFrame({'n': [1]}), pd.DataFrame({'n': [2, 3]})], [{'x': 1}, {'x': 2}]]"),
    items("[[1, 2], []]", "frames that children return", child=giving("pd.DataFrame({'n': [n]})")),
    items("[[1, 2], []]", "lists that children return", child=giving("[[n, n]]")),
    items("[[1, 2], []]", "children with three outputs", child=giving("n, n, n")),
    items("[[1, 2], []]", "children with metadata", child=giving("[n, {'x': n}]")),
    items("[[1, 2], []]", "children that return nothing", child=giving("None")),
    items("[[1, 0], []]", "a child that fails", child=giving("1 / n")),
    dynamic(
        "children of children",
        [
            TWO[0],
            *(block(y, "transformer", x) for x, y in ("ab", "bc")),
            block("d", "transformer", "c", **REDUCE),
            block("e", "custom", "d"),
        ],
        a=load("[[1, 2], [{'x': 1}, {'x': 2}]]"),
    ),
    dynamic(
        "children that return two outputs, and their children",
        [TWO[0], block("b", "transformer", "a"), block("c", "transformer", "b")],
        a=load("[[1, 2], []]"),
        b=giving("[n, {'x': n}]"),
    ),
    dynamic(
        "two dynamic parents",
        [*TWO, block("c", "transformer", "a", "b", **REDUCE), block("d", "custom", "c")],
        a=load("[[1, 2], [{'x': 1}, {'x': 2}]]"),
        b=load("[['p', 'q'], [{'y': 1}, {'y': 2}]]"),
    ),
    dynamic(
        "two dynamic parents and another one between them",
        [*TWO, block("p", "data_loader"), block("c", "transformer", "a", "p", "b", **REDUCE)],
        a=load("[[1, 2], []]"),
        p=load("7"),
        b=load("[['p', 'q', 'r'], []]"),
    ),
    dynamic(
        "two children of one parent, and a block that reads both",
        [TWO[0], *(block(x, "transformer", "a") for x in "bc"), block("d", "transformer", "b", "c", **REDUCE)],
        a=load("[[1, 2], []]"),
    ),
    dynamic(
        "a replicated child",
        [
            TWO[0],
            block("b", "transformer", "a", **REDUCE),
            block("r", "transformer", "a", replicated_block="b", **REDUCE),
            block("c", "custom", "b", "r"),
        ],
        a=load("[[1, 2], []]"),
        r="",
    ),
    Kind(
        what="a condition of children",
        blocks=[
            TWO[0],
            block("b", "transformer", "a", **REDUCE),
            block("c", "custom", "b"),
            block("q", "conditional", "b"),
        ],
        code={
            "a": load("[[1, 2, 3], []]"),
            "b": EACH,
            "c": END,
            "q": "@condition\ndef two(n, **kwargs):\n    return n != 2\n",
        },
    ),
    Kind(
        what="a replicated block",
        blocks=[
            block("a", "data_loader", configuration={"n": 1}),
            block("r", "data_loader", replicated_block="a", configuration={"n": 2}),
            block("b", "custom", "a", "r"),
        ],
        code={
            "a": """
            @data_loader
            def load(*args, **kwargs):
                return kwargs['configuration']['n']

            @test
            def check(output, **kwargs):
                saw(output, kwargs['block_uuid'])
            """,
            "b": END,
        },
    ),
    called_back("after success", BOTH),
    called_back("after a failure", BOTH, loads="1 / 0"),
    called_back("after a failed test", BOTH, loads="7\n\n@test\ndef check(*args):\n    assert False"),
    called_back("of several outputs", BOTH, loads="7, 8"),
    called_back("of no output", BOTH, loads="None"),
    called_back("bare", "@callback\ndef call(*args, **kwargs):\n    saw(*args, sorted(kwargs))\n"),
    called_back("with keywords only", "@callback('success')\ndef call(**kwargs):\n    saw(kwargs['__input'])\n"),
    called_back("the error", "@callback('failure')\ndef f(p, **k):\n    saw(str(k['__error']))\n", loads="1 / 0"),
    called_back("the old way", "@on_success\ndef f(**k):\n    saw('s')\n@on_failure\ndef g(**k):\n    saw('f')\n"),
    called_back("the old way, failed", "@on_failure\ndef g(**k):\n    saw(str(k['__error']))\n", loads="1 / 0"),
    called_back("that raises", "@callback('success')\ndef call(*args, **kwargs):\n    saw(1)\n    1 / 0\n"),
    called_back("of a status that is none", "@callback('done')\ndef call(*args, **kwargs):\n    saw(1)\n"),
    called_back("that takes no keywords", "@callback('success')\ndef call(parent):\n    saw(parent)\n"),
    asked(
        "true", "@condition\ndef f(*a, **k):\n    saw(a[0], k['block_uuid'], k['parent_block_uuid'])\n    return True\n"
    ),
    asked("false", "@condition\ndef f(*a, **k) -> bool:\n    return False\n"),
    asked("zero", "@condition\ndef f(*a, **k):\n    return 0\n"),
    asked("that raises", "@condition\ndef f(*a, **k):\n    1 / 0\n"),
    asked(
        "several, all asked", "".join(f"@condition\ndef f(*a, **k):\n    saw({n})\n    return {n}\n" for n in (0, 1))
    ),
    asked("no function", "saw('executed')\n"),
    Kind(
        what="two callbacks of one block, of which one fails, and one of two blocks",
        blocks=[block("a", "data_loader"), block("b", "custom", "a"), *(block(x, "callback", "a", "b") for x in "qr")],
        code={
            "a": load("7"),
            "b": END.replace("saw(", "1 / 0\n    saw("),
            "q": "@callback('success')\ndef f(p, **k):\n    saw('q', p)\n    1 / 0\n",
            "r": BOTH,
        },
    ),
    Kind(
        what="a condition behind one that is false, and callbacks of both",
        blocks=[
            block("a", "data_loader"),
            block("b", "custom", "a"),
            block("c", "custom", "b"),
            *(block(name, "conditional", of) for name, of in ("qb", "rc")),
            block("s", "callback", "b", "c"),
        ],
        code={
            **{"a": load("7"), "b": END, "c": END, "s": BOTH},
            "q": "@condition\ndef f(*a, **k):\n    saw('q', a[0])\n    return False\n",
            "r": "@condition\ndef f(*a, **k):\n    saw('r', a[0])\n    return True\n",
        },
    ),
    Kind(
        what="what blocks and callbacks are told of attempts and of the run",
        blocks=[block("a", "data_loader"), block("q", "callback", "a")],
        code={
            "a": "@data_loader\ndef f(**k):\n    saw(k['retry'], 'pipeline_run_id' in k, 'execution_partition' in k)\n",
            "q": """
            @callback('success')
            def f(parent, **k):
                run = k['pipeline_run']
                saw(k['retry'], run.id == k['pipeline_run_id'], run.pipeline_uuid == k['pipeline_uuid'])
                saw(run.status.value)
                saw([each.status.value for each in run.block_runs], run.execution_date == k['execution_date'])
            """,
        },
    ),
    Kind(
        what="sensors with and without inputs",
        blocks=[
            block("a", "data_loader"),
            *(block(x, "sensor", "a") for x in "st"),
            block("b", "custom", "a", "s", "t"),
        ],
        code={
            **{"a": load("7"), "b": END},
            "s": "@sensor\ndef f(**k):\n    saw('no inputs')\n    return True\n",
            "t": "@sensor\ndef f(*a, **k):\n    saw('inputs', *a)\n    return True\n",
        },
    ),
]

DIFFERENT = [
    Difference(
        case=called_back(
            "imported without a guard",
            """
            from mage_ai.data_preparation.decorators import callback

            @callback('success')
            def call(parent, **kwargs):
                saw(parent)
            """,
        ),
        why="in Mage the imported decorator hides the one that it looks at, and nothing is called; here both count",
        in_mage=[["end", 7, None]],
        here=[[7], ["end", 7, None]],
    ),
    Difference(
        case=Kind(
            what="callbacks of children",
            blocks=[TWO[0], block("b", "transformer", "a", **REDUCE), block("q", "callback", "b")],
            code={
                "a": load("[[1, 2], []]"),
                "b": giving("n"),
                "q": """
            @callback('success')
            def call(parent, **kwargs):
                saw(parent, kwargs.get('dynamic_block_index'))
            """,
            },
        ),
        why="Mage also calls before the children have run, and gives a child's callback what all have returned so far",
        in_mage=[[[None, None], None], [[1, None], 0], [[1, 2], 1]],
        here=[[1, 0], [2, 1]],
    ),
    Difference(
        case=dynamic(
            "children that are dynamic themselves",
            [TWO[0], block("b", "transformer", "a", **DYNAMIC), block("c", "custom", "b")],
            a=load("[[1, 2], []]"),
            b=giving("[[n * 10, n * 10 + 1]]"),
        ),
        why="Mage takes two of four items twice, and leaves two out",
        in_mage=[["end", n, None] for n in (10, 21, 10, 21)],
        here=[["end", n, None] for n in (10, 11, 20, 21)],
    ),
    Difference(
        case=dynamic(
            "children with two outputs, gathered",
            [TWO[0], block("b", "transformer", "a", **REDUCE), block("c", "custom", "b")],
            a=load("[[1, 2], []]"),
            b=giving("[n, n]"),
        ),
        why="Mage takes the second of two outputs for metadata, whatever it is",
        in_mage="'int' object is not iterable",
        here=[["end", [1, 1, 2, 2], None]],
    ),
]

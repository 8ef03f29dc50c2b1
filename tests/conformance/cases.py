"""Small pipelines that real Mage and the runner both run; their blocks tell with `saw(...)` what they were given."""

from __future__ import annotations

import re
import textwrap
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.pipelines import write_block, write_pipeline
from tests.projects import block

ONE = """
@data_loader
def load(*args, **kwargs):
    return 1
"""
TWO = ONE.replace("1", "2")
FRAME = """
import pandas as pd

@data_loader
def load(*args, **kwargs):
    return pd.DataFrame({'n': [1, 2]})
"""
LOOK = """
@transformer
def look(*args, **kwargs):
    saw(*args)
"""
LOOK_AS_EXPORTER = LOOK.replace("transformer", "data_exporter")
LOOK_AS_CUSTOM = LOOK.replace("transformer", "custom")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A pipeline: its blocks, the code of those that have one, its variables, and those given at run time."""

    what: str
    blocks: Sequence[Mapping[str, Any]]
    code: Mapping[str, str]
    variables: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    downstream: bool = True

    @property
    def uuid(self) -> str:
        words = re.sub(r"\W+", "_", self.what).strip("_").lower()
        return f"{words[:40]}_{zlib.crc32(self.what.encode()):x}"

    def write(self, project: Path) -> None:
        """Into the project; blocks get the case's name before theirs, as a project has one block of a name."""
        kinds = {entry["uuid"]: entry["type"] for entry in self.blocks}
        for uuid, code in self.code.items():
            source = f"from witness import saw\n{textwrap.dedent(code)}"
            write_block(project, kinds[uuid], self._name(uuid), source)
        entries = [
            {
                **entry,
                "uuid": self._name(entry["uuid"]),
                "upstream_blocks": list(map(self._name, entry["upstream_blocks"])),
            }
            for entry in self.blocks
        ]
        write_pipeline(project, self.uuid, entries, self.variables, downstream=self.downstream)

    def _name(self, uuid: str) -> str:
        return f"{self.uuid}_{uuid}"


def loader(what: str, code: str, **more: Any) -> Case:
    """A pipeline of one loader."""
    return Case(what=what, blocks=[block("a", "data_loader")], code={"a": code}, **more)


def two(what: str, first: str, second: str, **more: Any) -> Case:
    """A loader, and a transformer of what it loads."""
    blocks = [block("a", "data_loader"), block("b", "transformer", "a")]
    return Case(what=what, blocks=blocks, code={"a": first, "b": second}, **more)


def returning(expression: str, what: str | None = None) -> Case:
    """A loader that returns the expression, a test of it, a transformer that hands on what it is given, and a look."""
    load = f"""
    import datetime as dt
    from decimal import Decimal
    import pandas as pd
    import pyarrow as pa

    @data_loader
    def load(*args, **kwargs):
        return {expression}

    @test
    def check(*args):
        saw("the test", *args)
    """
    hand_on = """
    @transformer
    def hand_on(value, *args, **kwargs):
        saw(value, *args)
        return value
    """
    blocks = [block("a", "data_loader"), block("b", "transformer", "a"), block("c", "data_exporter", "b")]
    return Case(
        what=f"returning {what or expression}", blocks=blocks, code={"a": load, "b": hand_on, "c": LOOK_AS_EXPORTER}
    )

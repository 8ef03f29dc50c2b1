"""What the pages show: commands with their output, and files to write, in the order of the page.

A command is a line that begins with `$ ` in a ```console block; the lines below it are what it says, and `...` stands
for lines that are left out. A file is a code block below a line that ends in its name: `pipelines/x/metadata.yaml`:
(and is added to it where that line says "to the end of").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = ROOT / "docs" / "commands.md"

_BLOCK = re.compile(r"^(?P<above>[^\n]*)\n\n```(?P<kind>\w+)\n(?P<text>.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`(?P<name>[\w./-]+)`:$")


@dataclass(frozen=True, kw_only=True)
class Command:
    text: str
    shown: list[str]
    fails: bool = False  # the page goes on with `echo $?`


@dataclass(frozen=True, kw_only=True)
class File:
    name: str
    text: str
    at_end: bool


@dataclass(frozen=True, kw_only=True)
class CodeBlock:
    kind: str
    text: str
    above: str


def code_blocks(page: Path) -> list[CodeBlock]:
    return [CodeBlock(**match.groupdict()) for match in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def steps(page: Path) -> list[Command | File]:
    found: list[Command | File] = []
    for block in code_blocks(page):
        if block.kind == "console":
            found += _commands(block.text)
        elif named := _FILE.search(block.above):
            found.append(File(name=named["name"], text=block.text, at_end="to the end of" in block.above))
    return found


def commands(page: Path) -> list[Command]:
    return [step for step in steps(page) if isinstance(step, Command)]


def _commands(text: str) -> list[Command]:
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0], f"a console block begins with a command: {text}"
    lines = [part.splitlines() for part in parts[1:]]
    following = [first for first, *_ in lines[1:]] + [""]
    return [
        Command(text=first, shown=shown, fails=after == "echo $?")
        for (first, *shown), after in zip(lines, following, strict=True)
    ]

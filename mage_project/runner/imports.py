"""What a block imports from Mage and this runner has not: found by reading the file, without executing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mage_project.mage_ai.finder import ROOT, answered
from mage_project.mage_ai.unanswered import missing_module, missing_name


def unanswered(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the message of each import that would fail; nothing for a file that is not Python."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            # What there is instead is a long list, which only the one who runs the block needs.
            told = (re.split(r" Answered are: | \S+ has here: ", str(error))[0] for error in _errors(node))
            yield from ((node.lineno, what) for what in told)


def _errors(node: ast.Import | ast.ImportFrom) -> Iterator[ImportError]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names if _is_mages(alias.name)]
        yield from (missing_module(name, list(answered())) for name in names if name not in answered())
    elif not node.level and _is_mages(node.module or ""):
        yield from _missing(node.module or "", node.names)


def _is_mages(name: str) -> bool:
    return name.split(".")[0] == ROOT


def _missing(module: str, names: list[ast.alias]) -> Iterator[ImportError]:
    if module not in answered():
        yield missing_module(module, list(answered()))
        return
    offered = _names_in(answered()[module])
    for name in (alias.name for alias in names):
        if offered is not None and name != "*" and name not in offered and f"{module}.{name}" not in answered():
            yield missing_name(module, name, sorted(offered), list(answered()))


@cache
def _names_in(file: Path) -> frozenset[str] | None:
    """The names that a module of ours defines; None where it makes them up when it is asked."""
    found: set[str] = set()
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    return None if found & {"__getattr__", "*"} else frozenset(found)

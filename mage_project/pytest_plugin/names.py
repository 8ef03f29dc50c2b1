"""The names of a block's tests, from its file: nothing is executed to know them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path


def test_functions(path: Path) -> list[ast.FunctionDef]:
    """The functions under `@test`, in the order of the file. Raises SyntaxError or ValueError for no Python."""
    return [found for found in _functions(ast.parse(path.read_bytes()).body) if _is_test(found)]


test_functions.__test__ = False  # type: ignore[attr-defined] # pytest must not collect it


def numbered(names: Iterable[str]) -> list[str]:
    """The names, each its own: the second `check` is `check #2`."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return found


def _functions(body: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Those of the module itself, also within `if`, `try` and `with`."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef):
            yield statement
        elif not isinstance(statement, ast.ClassDef | ast.AsyncFunctionDef):
            for part in ("body", "handlers", "orelse", "finalbody"):
                yield from _functions(getattr(statement, part, []))


def _is_test(function: ast.FunctionDef) -> bool:
    called = [each.func if isinstance(each, ast.Call) else each for each in function.decorator_list]
    return any(
        (isinstance(each, ast.Name) and each.id == "test") or (isinstance(each, ast.Attribute) and each.attr == "test")
        for each in called
    )

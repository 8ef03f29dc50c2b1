"""The modules of a project that its blocks import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def modules(root: Path, start: Path) -> list[Path]:
    """The project's own modules that `start` imports, and what those import, each once."""
    found: dict[Path, None] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path.suffix != ".py":
            continue
        for module in _imported(root, path):
            if module not in found and module != start:
                found[module] = None
                waiting.append(module)
    return list(found)


def _imported(root: Path, path: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, OSError):
        return  # running it says what is wrong, and where
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(root, path, node)
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)] if module else []
        else:
            continue
        for name in names:
            yield from _files(root, name)


def _absolute(root: Path, path: Path, node: ast.ImportFrom) -> str:
    """The module that the statement in `path` imports from; of `from ..x import y`, its name from the root."""
    if not node.level:
        return node.module or ""
    above = list(path.parents)[node.level - 1 : node.level]
    if not above or not above[0].is_relative_to(root):
        return ""
    return ".".join([*above[0].relative_to(root).parts, *([node.module] if node.module else [])])


def _files(root: Path, module: str) -> Iterator[Path]:
    """`module`'s file under the root, and the `__init__.py` of each package on the way."""
    parts = module.split(".")
    if parts[0] == root.name and not (root / parts[0]).exists():
        parts = parts[1:]  # Mage's own idiom: `from <project folder>.utils.x import y`
    for depth in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:depth])
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path.is_file():
                yield path

"""Names that a block's file uses and nobody defines: found by reading the file, without executing it."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator
from pathlib import Path

from mage_project.errors import did_you_mean
from mage_project.runner.namespace import DECORATORS

#: What is there without being defined: Python's own, the decorators, and what every module has.
_GIVEN = frozenset((*dir(builtins), *DECORATORS, "__file__", "__name__", "__doc__", "__builtins__", "__annotations__"))
#: What can define names that no reader of the file sees.
_MAGIC = frozenset(("exec", "globals", "vars", "locals"))


def undefined(path: Path) -> Iterator[tuple[int, str]]:
    """The first line and the message for each name; nothing for a file that is not Python, or defines names unseen."""
    try:
        source = path.read_bytes().decode("utf-8-sig")
        tree, table = ast.parse(source), symtable.symtable(source, str(path), "exec")
    except (SyntaxError, ValueError):
        return
    if _defines_unseen(tree):
        return
    defined = _defined(table)
    lines = {node.id: node.lineno for node in reversed(list(ast.walk(tree))) if isinstance(node, ast.Name)}
    for name in sorted(_wanted(table) - defined - _GIVEN, key=lambda name: lines.get(name, 1)):
        yield lines.get(name, 1), f"the name '{name}' is not defined.{did_you_mean(name, defined)}"


def _defines_unseen(tree: ast.Module) -> bool:
    """Whether it imports everything of a module, or writes to what `globals()` gives. Mage's own guard only asks it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Compare):
            node.comparators = []  # `'data_loader' not in globals()`
    return any(isinstance(node, ast.Name) and node.id in _MAGIC for node in ast.walk(tree))


def _defined(table: symtable.SymbolTable) -> set[str]:
    """The names of the module, those that functions declare as global included."""
    mine = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return mine | {symbol.get_name() for each in _below(table) for symbol in each.get_symbols()
                   if symbol.is_declared_global() and symbol.is_assigned()}  # fmt: skip


def _wanted(table: symtable.SymbolTable) -> set[str]:
    """The names that are looked up in the module."""
    mine = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    return mine | {symbol.get_name() for each in _below(table) for symbol in each.get_symbols()
                   if symbol.is_global() and symbol.is_referenced()}  # fmt: skip


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _below(child)

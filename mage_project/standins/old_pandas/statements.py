"""Statements in a block that changed a frame through one of its columns, until pandas began to copy on write.

`df['x'].fillna(0, inplace=True)` and `df['x'][rows] = 0` change a copy now, and so nothing. No code can be written for
today's pandas that means them, so in a block they are done as they were: the column is changed and put back.
https://pandas.pydata.org/docs/user_guide/copy_on_write.html, "Chained assignment"
"""

from __future__ import annotations

import ast
import re
from typing import Any

from mage_project.standins.old_pandas.frames import is_frame, is_series
from mage_project.standins.old_pandas.telling import lost, told
from mage_project.standins.old_pandas.texts import as_objects

#: The name under which a block's rewritten statements find this module's functions.
NAME = "__old_pandas__"
#: Methods that change values in place; those that change the length or the order never reached the frame.
_IN_PLACE = {"backfill", "bfill", "clip", "ffill", "fillna", "interpolate", "mask", "pad", "replace", "where"}
_INDEXERS = {"at", "iat", "iloc", "loc"}
#: What a source has that has such a statement.
_SIGNS = rb"inplace|fillna|to_pandas|\]\s*\[|\w\.\w+\[|\]\.\w+\["
#: One of these is in all that the pattern finds: most sources are looked at without compiling it.
_WORDS = (b"inplace", b"fillna", b"to_pandas", b"[")


def rewritten(source: bytes, filename: str) -> bytes | ast.Module:
    """What to compile for a block: its source, or its tree with such statements as calls of the functions below.

    Lines stay where they were. Raises SyntaxError and ValueError as `compile` does.
    """
    if not any(word in source for word in _WORDS) or not re.search(_SIGNS, source):
        return source
    tree = ast.parse(source, filename)
    writer = _Writer(tree)
    writer.visit(tree)
    return ast.fix_missing_locations(tree) if writer.found else source


class _Writer(ast.NodeTransformer):
    def __init__(self, tree: ast.Module) -> None:
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [alias.asname or alias.name for node in imports for alias in node.names]
        self._modules = {name.partition(".")[0] for name in names}
        self.found = False

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return node
        function = call.func
        column, method = self._column(function.value), function.attr
        if column is None or method not in _IN_PLACE or not _is_in_place(call):
            return node
        arguments = [*column, ast.Constant(method), *call.args]
        return ast.copy_location(ast.Expr(self._call("change", arguments, call.keywords, node)), node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            return node
        inner, indexer = target.value, ""
        if isinstance(inner, ast.Attribute) and inner.attr in _INDEXERS:
            indexer, inner = inner.attr, inner.value
        column = self._column(inner)
        if column is None:
            return node
        arguments = [*column, ast.Constant(indexer), _expression(target.slice), node.value]
        return ast.copy_location(ast.Expr(self._call("assign", arguments, [], node)), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "to_pandas":
            return self._call("to_pandas", [function.value, *node.args], node.keywords, node)
        if not (isinstance(function, ast.Attribute) and function.attr == "fillna"):
            return node
        if not any(keyword.arg == "method" for keyword in node.keywords):
            return node
        if self._column(function.value) is not None and _is_in_place(node):
            return node  # the statement that it is does both
        return self._call("fillna", [function.value, *node.args], node.keywords, node)

    def _column(self, node: ast.expr) -> list[ast.expr] | None:
        """[frame, key, whether the key is an attribute] of what may be a column of a frame."""
        if isinstance(node, ast.Subscript):
            return [node.value, _expression(node.slice), ast.Constant(False)]
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id not in self._modules:
            return [node.value, ast.Constant(node.attr), ast.Constant(True)]
        return None

    def _call(self, name: str, args: list[ast.expr], keywords: list[ast.keyword], old: ast.AST) -> ast.Call:
        self.found = True
        function = ast.Attribute(ast.Name(NAME, ast.Load()), name, ast.Load())
        return ast.copy_location(ast.Call(function, args, keywords), old)


def _is_in_place(call: ast.Call) -> bool:
    found = [keyword.value for keyword in call.keywords if keyword.arg == "inplace"]
    return any(isinstance(value, ast.Constant) and value.value is True for value in found)


def _expression(index: ast.expr) -> ast.expr:
    """An index as an expression: `a[1:2]` is a[slice(1, 2)]."""
    if isinstance(index, ast.Slice):
        parts = [part or ast.Constant(None) for part in (index.lower, index.upper, index.step)]
        return ast.Call(ast.Name("slice", ast.Load()), parts, [])
    if isinstance(index, ast.Tuple):
        return ast.Tuple([_expression(part) for part in index.elts], ast.Load())
    return index


def change(parent: Any, key: Any, by_name: bool, method: str, /, *args: Any, **kwargs: Any) -> None:
    """`parent[key].method(*args, inplace=True)`, which reaches the frame if that is a column of one."""
    part = getattr(parent, key) if by_name else parent[key]
    if not _is_column(parent, key, part):
        _say_if_lost(parent, part)
        getattr(part, method)(*args, **kwargs)
        return
    told(f"{method}(inplace=True) through a column", f"df[{key!r}] = df[{key!r}].{method}(...)")
    del kwargs["inplace"]
    filled = method == "fillna" and "method" in kwargs
    parent[key] = fillna(part, *args, **kwargs) if filled else getattr(part, method)(*args, **kwargs)


def assign(parent: Any, key: Any, by_name: bool, indexer: str, where: Any, value: Any) -> None:
    """`parent[key][where] = value`, which reaches the frame if that is a column of one."""
    part = getattr(parent, key) if by_name else parent[key]
    if not _is_column(parent, key, part):
        _say_if_lost(parent, part)
        (getattr(part, indexer) if indexer else part)[where] = value
        return
    told("assigning through a column", f"df.loc[rows, {key!r}] = value")
    if indexer in ("loc", "at"):
        del part  # a second owner of the values would have them copied
        parent.loc[where, key] = value
    elif indexer in ("iloc", "iat"):
        del part
        parent.iloc[where, parent.columns.get_loc(key)] = value
    else:
        changed = part.copy()
        changed[where] = value
        parent[key] = changed


def fillna(values: Any, /, *args: Any, method: Any = None, **kwargs: Any) -> Any:
    """`values.fillna(method='ffill')`."""
    new = {"ffill": "ffill", "pad": "ffill", "bfill": "bfill", "backfill": "bfill"}.get(method)
    if new is None or not hasattr(values, new):
        return values.fillna(*args, **kwargs, **({} if method is None else {"method": method}))
    told("fillna's method", f".{new}()")
    kwargs.pop("downcast", None)
    return getattr(values, new)(**kwargs)


def to_pandas(values: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`values.to_pandas()`, with the texts of an Arrow table as objects: Arrow does not ask for pandas' choice."""
    made = values.to_pandas(*args, **kwargs)
    return as_objects(made) if type(values).__module__.startswith("pyarrow.") and "types_mapper" not in kwargs else made


def _say_if_lost(parent: Any, part: Any) -> None:
    """Say that a change is, where `part` is a selection of a frame: its rows, several columns, or by df.loc."""
    if is_frame(parent):
        is_selection = is_frame(part)
    else:
        is_selection = (is_frame(part) or is_series(part)) and is_frame(getattr(parent, "obj", None))
    if is_selection:
        lost()


def _is_column(parent: Any, key: Any, part: Any) -> bool:
    """Whether `part` is the one column `key` of a pandas frame."""
    if not (is_frame(parent) and is_series(part)):
        return False
    try:
        return bool((parent.columns == key).sum() == 1)
    except (TypeError, ValueError):
        return False

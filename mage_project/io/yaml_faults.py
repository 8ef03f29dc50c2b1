"""YAML that can be parsed and not be built: what is wrong with it, and on which line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: What PyYAML raises, beside its own errors, for what no value can be made of: `2026-02-30 00:00:00`, `!!int x`.
UNBUILDABLE = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError)


def fault(loader: Any, root: Any) -> tuple[str, int | None]:
    """What is wrong below the node `root`, and its line (from 1). The value is not told: it may be a secret."""
    for node in _scalars(root):
        try:
            loader.construct_object(node)
        except UNBUILDABLE:
            kind = node.tag.rpartition(":")[2]
            return f"a value is read as {_KINDS.get(kind, kind)}, and is none", node.start_mark.line + 1
    return "a value cannot be built", None


TOO_DEEP = "nested too deeply"
_KINDS = {"int": "a whole number", "float": "a number", "bool": "a boolean", "timestamp": "a date or time"}


def _scalars(root: Any) -> Iterator[Any]:
    """The scalars below `root`, in their order, each once: an alias may lead back to where it stands."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node.value, str):
            yield node
            continue
        inner = [child for item in node.value for child in (item if isinstance(item, tuple) else (item,))]
        waiting += reversed(inner)

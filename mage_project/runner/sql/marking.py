"""Marks before each piece of literal text in a template, so that it is found again in the SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

MARK = re.compile("\0(\\d+)\0")
#: Blocks whose text is not written out where it stands: a variable may compare or measure it.
_CAPTURING = frozenset({"macro", "call", "filter", "set"})


def marked(environment: SandboxedEnvironment, source: str, expressions: list[str]) -> tuple[str, dict[int, int]]:
    """The source with a mark before each piece of literal text, and the length of each piece by its offset.

    What is Python goes to `expressions`, and `evaluated(place)` stands for it.
    """
    parts: list[str] = []
    lengths: dict[int, int] = {}
    end = depth = 0
    tokens = list(environment.lexer.tokeniter(source, None))
    starts = _starts(source, tokens)
    for place, (_, kind, value) in enumerate(tokens):
        start = starts[place]
        if kind == "block_begin":
            depth += _depth(tokens[place + 1 :])
        elif kind == "data" and depth == 0:
            parts += [source[end:start], f"\0{start}\0"]
            lengths[start], end = len(value), start
        elif kind == "variable_begin" and _is_python(tokens[place + 1 :]):
            last = next(i for i in range(place, len(tokens)) if tokens[i][1] == "variable_end")
            inner = source[start + len(value) : starts[last]]
            expressions.append(inner)
            lines = "\n" * inner.count("\n")
            parts += [source[end : start + len(value)], f" evaluated({len(expressions) - 1}){lines} "]
            end = starts[last]
    return "".join([*parts, source[end:]]), lengths


def _starts(source: str, tokens: Sequence[tuple[int, str, str]]) -> list[int]:
    """Where each token is in the source. What the lexer leaves out between them is white space."""
    starts, end = [], 0
    for _, _, value in tokens:
        start = source.index(value, end)
        starts.append(start)
        end = start + len(value)
    return starts


def _words(tokens: Sequence[tuple[int, str, str]]) -> list[str]:
    """The words of an expression or a statement, to its end."""
    ends = (i for i, (_, kind, _) in enumerate(tokens) if kind in ("block_end", "variable_end"))
    last = next(ends, len(tokens))
    return [value for _, kind, value in tokens[:last] if kind != "whitespace"]


def _depth(tokens: Sequence[tuple[int, str, str]]) -> int:
    words = _words(tokens) or [""]
    if words[0].removeprefix("end") in _CAPTURING and words[0].startswith("end"):
        return -1
    return int(words[0] in _CAPTURING and not (words[0] == "set" and "=" in words))


def _is_python(tokens: Sequence[tuple[int, str, str]]) -> bool:
    words = _words(tokens)
    return words[:1] == ["block_output"] and "lambda" in words

"""Calls a block's functions as Mage does: upstream outputs by position, keyword arguments to those who take them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mage_project.runner.borders import in_block


def takes_keywords(function: Callable[..., Any]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values())


def takes_stream(function: Callable[..., Any]) -> bool:
    """Whether a test declares a parameter called `stream`, and so wants all batches rather than each."""
    return "stream" in inspect.signature(function).parameters


def call(function: Callable[..., Any], inputs: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """`function(*inputs, **keywords)`, the keywords only where the function takes `**kwargs`.

    A `stream` among the keywords also reaches a function that declares it by name.
    """
    if not takes_keywords(function):
        keywords = {"stream": keywords["stream"]} if takes_stream(function) and "stream" in keywords else {}
    with in_block():
        return function(*inputs, **keywords)

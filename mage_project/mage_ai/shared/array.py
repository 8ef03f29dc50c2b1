"""mage_ai.shared.array: small things about lists."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any


def batch(iterable: Sequence[Any], n: int = 1) -> Iterator[Sequence[Any]]:
    """The items in slices of `n`."""
    return (iterable[start : start + n] for start in range(0, len(iterable), n))


def difference(li1: list[Any], li2: list[Any]) -> list[Any]:
    """The items that only one of the lists has."""
    both = set(li1) & set(li2)
    return [item for item in li1 + li2 if item not in both]


def flatten(arr: Iterable[Iterable[Any]]) -> list[Any]:
    """The items of the lists in the list."""
    return [item for inner in arr for item in inner]


def find(condition: Callable[[Any], Any], arr: Iterable[Any], map: Callable[[Any], Any] | None = None) -> Any:
    """The first item that meets the condition, changed by `map`; None without one."""
    for item in arr:
        if condition(item):
            return map(item) if map else item
    return None


def find_index(condition: Callable[[Any], Any], arr: Iterable[Any]) -> int:
    """The place of the first item that meets the condition, -1 without one."""
    return next((place for place, item in enumerate(arr) if condition(item)), -1)


def sample(arr: Sequence[Any]) -> Any:
    """An item, drawn by chance."""
    return random.choice(arr)  # noqa: S311 - nothing depends on its being secret


def subtract(arr1: Iterable[Any], arr2: Iterable[Any]) -> list[Any]:
    """The items of the first list that the second has not."""
    without = set(arr2)
    return [item for item in arr1 if item not in without]


def unique_by(arr1: Iterable[Any], key: Callable[[Any], Hashable]) -> list[Any]:
    """The first item of each key."""
    first: dict[Hashable, Any] = {}
    for item in arr1:
        first.setdefault(key(item), item)
    return list(first.values())


def is_iterable(obj: Any, exclude_dicts: bool = True, exclude_strings: bool = True) -> bool:
    """Whether one can go through the object; texts and mappings do not count, unless said."""
    if (exclude_strings and isinstance(obj, str)) or (exclude_dicts and isinstance(obj, dict)):
        return False
    return isinstance(obj, Iterable)

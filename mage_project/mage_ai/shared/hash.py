"""mage_ai.shared.hash: small things about mappings."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from mage_project.mage_ai.shared.strings import camel_to_snake_case

_PLACE = re.compile(r"(.*)\[(\d+)\]$")


def camel_case_keys_to_snake_case(d: Any) -> Any:
    """The mapping with keys such as `blockRun` as `block_run`, inner mappings too."""
    if not isinstance(d, dict):
        return d
    return {camel_to_snake_case(key): _snake_cased(value) for key, value in d.items()}


def _snake_cased(value: Any) -> Any:
    if isinstance(value, list):
        return [camel_case_keys_to_snake_case(item) for item in value]
    return camel_case_keys_to_snake_case(value)


def dig(obj_arg: Any, arr_or_string: str | Iterable[str]) -> Any:
    """The value under keys such as `run.blocks[0].name`; None where a key is missing, an error for a missing place."""
    value = obj_arg
    for step in _steps(arr_or_string):
        if isinstance(step, int):
            value = value[step]
        elif value:
            value = value.get(step)
    return value


def safe_dig(obj_arg: Any, arr_or_string: str | Iterable[str]) -> Any:
    """As `dig`, and None for a missing place too."""
    value = obj_arg
    for step in _steps(arr_or_string):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _steps(path: str | Iterable[str]) -> list[str | int]:
    steps: list[str | int] = []
    for part in path.split(".") if isinstance(path, str) else path:
        match = _PLACE.match(part.strip())
        if match is None:
            steps.append(part.strip())
        else:
            steps += [match[1], int(match[2])] if match[1] else [int(match[2])]
    return steps


def flatten(input_data: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with inner keys joined by underscores, three levels deep."""
    return _flat(input_data, levels=3)


def _flat(data: Mapping[str, Any], *, levels: int) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if levels > 1 and type(value) is dict:
            flat |= {f"{key}_{inner}": item for inner, item in _flat(value, levels=levels - 1).items()}
        else:
            flat[key] = value
    return flat


def flatten_dict(d: Mapping[str, Any], parent_key: str = "", sep: str = ".") -> dict[str, Any]:
    """The mapping with inner keys joined by `sep`, however deep."""
    flat: dict[str, Any] = {}
    for key, value in d.items():
        name = f"{parent_key}{sep}{key}" if parent_key else key
        flat |= flatten_dict(value, name, sep=sep) if isinstance(value, dict) else {name: value}
    return flat


def unflatten_dict(d: Mapping[str, Any], sep: str = ".") -> dict[str, Any]:
    """The inverse of `flatten_dict`."""
    nested: dict[str, Any] = {}
    for key, value in d.items():
        *parents, last = key.split(sep)
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return nested


def get_json_value(str_value: str, arr_or_string: str | Iterable[str]) -> Any:
    """What is under the keys in a JSON text; the text itself where it is no JSON."""
    if not str_value:
        return str_value
    try:
        parsed = json.loads(str_value)
    except ValueError:
        return str_value
    return dig(parsed, arr_or_string)


def ignore_keys(d: Mapping[Any, Any], keys: Iterable[Any]) -> dict[Any, Any]:
    """The mapping without these keys."""
    without = set(keys)
    return {key: value for key, value in d.items() if key not in without}


def ignore_keys_with_blank_values(d: Mapping[Any, Any], include_values: list[Any] | None = None) -> dict[Any, Any]:
    """The mapping without empty values, but for those of `include_values`."""
    return {key: value for key, value in d.items() if value or (include_values and value in include_values)}


def extract(d: Mapping[Any, Any], keys: Iterable[Any], include_blank_values: bool = False) -> dict[Any, Any]:
    """The mapping with these keys only; a key without a value is left out unless said."""
    return {key: d.get(key) for key in keys if include_blank_values or d.get(key) is not None}


def extract_arrays(input_data: Mapping[Any, Any]) -> list[list[Any]]:
    """The values that are lists."""
    return [value for value in input_data.values() if type(value) is list]


def group_by(func: Callable[[Any], Hashable], arr: Iterable[Any]) -> dict[Hashable, list[Any]]:
    """The items by what `func` makes of them."""
    groups: dict[Hashable, list[Any]] = {}
    for item in arr:
        groups.setdefault(func(item), []).append(item)
    return groups


def index_by(func: Callable[[Any], Hashable], arr: Iterable[Any]) -> dict[Hashable, Any]:
    """The last item for each value of `func`."""
    return {func(item): item for item in arr}


def merge_dict(a: Mapping[Any, Any] | None, b: Mapping[Any, Any] | None) -> dict[Any, Any]:
    """A new mapping with the entries of both, `b`'s over `a`'s."""
    return {**(a or {}), **(b or {})}


def replace_dict_nan_value(d: Mapping[Any, Any]) -> dict[Any, Any]:
    """The mapping with None for NaN."""
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in d.items()}


def get_safe_value(data: Mapping[Any, Any] | None, key: Any, default_value: Any) -> Any:
    """The value of the key, else the default, also where there is no mapping."""
    return data.get(key, default_value) if data else default_value


def set_value(obj: dict[Any, Any], keys: Sequence[str], value: Any) -> dict[Any, Any]:
    """Set the value under the keys; mappings that are missing on the way are made. The mapping itself is returned."""
    *parents, last = keys
    inner = obj
    for parent in parents:
        inner[parent] = inner.get(parent) or {}
        inner = inner[parent]
    inner[last] = value
    return obj


def combine_into(child: Mapping[Any, Any], parent: dict[Any, Any]) -> None:
    """Put the child's entries into the parent, inner mappings entry by entry."""
    for key, value in child.items():
        if isinstance(value, dict):
            combine_into(value, parent.setdefault(key, {}))
        else:
            parent[key] = value

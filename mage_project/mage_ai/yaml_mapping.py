"""Changes one entry of a mapping in a YAML text and leaves every other character as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

#: What YAML takes for no character, for a line end or for a mark, even in quotes.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def set_entry(text: str, mapping: str, key: str, value: Any) -> str:
    """The text with `key` of the top-level `mapping` set to `value`. Raises ValueError where that cannot be written."""
    written = _flow(value)
    root = yaml.compose(text, yaml.SafeLoader)
    node = _value(root, mapping)
    entry = _value(node, key)
    if entry is not None and isinstance(node, yaml.MappingNode):
        name = next(name for name, _ in node.value if name.value == key)
        colon = text.index(":", name.end_mark.index)
        changed = f"{text[: colon + 1]} {written}{text[_end(text, entry, colon + 1) :]}"
    elif isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        column = node.value[0][0].start_mark.column
        changed = _inserted(text, node.value[0][0].start_mark.index - column, f"{' ' * column}{key}: {written}\n")
    elif node is not None:
        changed = _replaced(text, node, _flow({**_plain(node), key: value}))
    else:
        ending = "" if not text or text.endswith("\n") else "\n"
        changed = f"{text}{ending}{mapping}:\n  {key}: {written}\n"
    _check(text, changed, mapping, lambda before: {**before, key: value})
    return changed


def remove_entry(text: str, mapping: str, key: str) -> str:
    """The text without `key` in the top-level `mapping`; unchanged if it is not there."""
    node = _value(yaml.compose(text, yaml.SafeLoader), mapping)
    if _value(node, key) is None or not isinstance(node, yaml.MappingNode):
        return text
    left = {name: value for name, value in _plain(node).items() if name != key}
    if node.flow_style or not left:
        changed = _replaced(text, node, _flow(left))
    else:
        pairs = node.value
        place = next(i for i, (name, _) in enumerate(pairs) if name.value == key)
        start = pairs[place][0].start_mark
        end = pairs[place + 1][0].start_mark if place + 1 < len(pairs) else node.end_mark
        changed = text[: start.index - start.column] + text[end.index - end.column :]
    _check(text, changed, mapping, lambda before: {k: v for k, v in before.items() if k != key})
    return changed


def _value(node: Any, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _plain(node: yaml.Node) -> dict[str, Any]:
    loader = yaml.SafeLoader("")
    value = loader.construct_document(node)
    return value if isinstance(value, dict) else {}


def _flow(value: Any) -> str:
    """The value on one line, every text in quotes, so that no word or number is read as something else."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, float):
        return str(yaml.safe_dump(value)).splitlines()[0]
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(str(value), ensure_ascii=False))


def _end(text: str, node: yaml.Node, least: int) -> int:
    """Where the node's last character ends: YAML counts what follows a block, comments too, as part of it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last, least)
    end = node.end_mark.index
    while end > least and text[end - 1].isspace():
        end -= 1
    return max(end, least)


def _replaced(text: str, node: yaml.Node, written: str) -> str:
    start = node.start_mark.index
    space = "" if text[start - 1 : start] in {" ", ""} else " "
    return text[:start] + space + written + text[_end(text, node, start) :]


def _inserted(text: str, index: int, line: str) -> str:
    return text[:index] + line + text[index:]


def _check(text: str, changed: str, mapping: str, expected: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A text edit is only made if the document means what it should afterwards."""
    before = yaml.safe_load(text) or {}
    wanted = {**before, mapping: expected(before.get(mapping) or {})}
    if _canonical(yaml.safe_load(changed)) != _canonical(wanted):
        raise ValueError(f"`{mapping}` cannot be changed in place: edit the file by hand")


def _canonical(value: Any) -> str:
    return json.dumps(value, default=str, sort_keys=True)

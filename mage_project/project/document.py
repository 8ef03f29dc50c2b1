"""YAML files with the line of every key, so that each error can say where it is."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, NoReturn

from mage_project.errors import ConfigError
from mage_project.io.yaml_faults import TOO_DEEP, UNBUILDABLE, fault
from mage_project.project.yaml_library import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: What may be nested deeper than this goes to the loader in Python: the one in C would end the process.
_DEEP = 3000
_HINT = "mend the line, or quote the value"


class Mapping(dict[Any, Any]):
    """A YAML mapping that knows the line (from 1) of itself and of its keys.

    Ours are strings; those in a pipeline's variables are what YAML makes of them (`{1: yes}`).
    """

    line: int
    lines: dict[Any, int]

    def line_of(self, key: Any) -> int:
        return self.lines.get(key, self.line)


class _LineLoader(_Loader):  # type: ignore[misc]
    pass


class _PatientLoader(yaml.SafeLoader):
    pass


def _construct(loader: Any, node: yaml.MappingNode) -> Any:
    loader.flatten_mapping(node)
    mapping = Mapping()
    mapping.line = node.start_mark.line + 1
    mapping.lines = {}
    yield mapping
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):  # what `{{ x }}` without quotes is to YAML
            raise yaml.MarkedYAMLError(problem="a mapping as a key", problem_mark=key_node.start_mark)
        mapping.lines[key] = key_node.start_mark.line + 1
        mapping[key] = loader.construct_object(value_node, deep=True)


_LineLoader.add_constructor("tag:yaml.org,2002:map", _construct)
_PatientLoader.add_constructor("tag:yaml.org,2002:map", _construct)


def parse(text: str, path: Path) -> Any:
    """The parsed YAML of `text`. `ConfigError` with the line where it stops being YAML, or of a value that is none."""
    try:
        return yaml.load(text, Loader=_loader(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = f"not valid YAML: {error.problem or error.context}"
        raise ConfigError(what, where=f"{path}:{line}", hint=_HINT) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"not valid YAML: {error}", where=f"{path}:1") from error
    except RecursionError as error:
        raise ConfigError(f"not valid YAML: {TOO_DEEP}", where=f"{path}:1", hint="close its brackets") from error
    except UNBUILDABLE as error:
        _say_where(text, path, error)


def _loader(text: str) -> Any:
    """A subclass of the safe loader."""
    return _PatientLoader if sum(map(text.count, ("[", "{", "- ", "? "))) > _DEEP else _LineLoader


def _say_where(text: str, path: Path, error: Exception) -> NoReturn:
    loader = yaml.SafeLoader(text)
    what, line = fault(loader, loader.get_single_node())
    raise ConfigError(f"not valid YAML: {what}", where=f"{path}:{line or 1}", hint=_HINT) from error


def line_of_item(path: Path, key: str, place: int) -> int | None:
    """The line of an item of the list under `key` of a file that has been read: only mappings know theirs."""
    text = path.read_text(encoding="utf-8-sig")
    root: Any = yaml.compose(text, Loader=_loader(text))
    items = [value.value for name, value in root.value if name.value == key]
    return items[-1][place].start_mark.line + 1 if items else None


def read(path: Path) -> Mapping:
    """The mapping that the file holds (empty for an empty file). `ConfigError` for anything else."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError("not UTF-8 text", where=f"{path}:{line}", hint="save the file as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    content = parse(text, path)
    if content is None:
        content = Mapping()
        content.line, content.lines = 1, {}
    if not isinstance(content, Mapping):
        raise ConfigError(f"holds a {type(content).__name__} where a mapping belongs", where=f"{path}:1")
    return content

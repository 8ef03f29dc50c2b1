"""Reads one profile of an io_config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mage_project.errors import ConfigError, did_you_mean
from mage_project.io.config_keys import ConfigKey
from mage_project.io.templates import Absent, Template
from mage_project.io.yaml_faults import TOO_DEEP, UNBUILDABLE, fault

#: Where a setting stood before Mage's profiles became flat.
_NESTED: dict[str, tuple[str, str]] = {
    ConfigKey.POSTGRES_DBNAME: ("PostgreSQL", "database"),
    ConfigKey.POSTGRES_HOST: ("PostgreSQL", "host"),
    ConfigKey.POSTGRES_PASSWORD: ("PostgreSQL", "password"),
    ConfigKey.POSTGRES_PORT: ("PostgreSQL", "port"),
    ConfigKey.POSTGRES_SCHEMA: ("PostgreSQL", "schema"),
    ConfigKey.POSTGRES_USER: ("PostgreSQL", "user"),
    ConfigKey.GOOGLE_LOCATION: ("BigQuery", "location"),
    ConfigKey.GOOGLE_SERVICE_ACC_KEY: ("BigQuery", "credentials_mapping"),
    ConfigKey.GOOGLE_SERVICE_ACC_KEY_FILEPATH: ("BigQuery", "path_to_credentials"),
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Settings by name, the line of each, and why one has no value. Its repr shows no value."""

    settings: Mapping[str, Any] = field(repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)
    absent: Mapping[str, list[Absent]] = field(default_factory=dict)
    version: Any = None

    def get(self, key: str) -> Any:
        """The value of a setting, None without one."""
        if key in self.settings:
            return self.settings[key]
        group, name = _NESTED.get(key, ("", ""))
        nested = self.settings.get(group)
        return nested.get(name) if isinstance(nested, dict) else None


def read_profile(path: Path, name: str) -> Profile:
    """The profile, rendered and parsed. Raises ConfigError with file and line."""
    template = Template(_text(path), where=str(path))
    loader = yaml.SafeLoader(template.render())
    document = _document(loader, path)
    pairs = {str(key.value): (key, value) for key, value in document.value}
    if name not in pairs:
        profiles = [known for known in pairs if known != "version"]
        known = ", ".join(profiles) or "none"
        what = f"there is no profile '{name}' (there is: {known}).{did_you_mean(name, profiles)}"
        hint = "name one of them, or add it to the file"
        raise ConfigError(what, where=str(path), hint=hint)
    node = pairs[name][1]
    if not isinstance(node, yaml.MappingNode):
        where = f"{path}:{_line(pairs[name][0])}"
        hint = "write below it, indented, lines such as `POSTGRES_HOST: ...`"
        raise ConfigError(f"profile '{name}' is not a mapping of settings", where=where, hint=hint)
    absent = {str(key.value): _resolve(template, value) for key, value in node.value}
    return Profile(
        settings=_constructed(loader, node, path),
        lines={str(key.value): _line(key) for key, _ in node.value},
        absent={key: reasons for key, reasons in absent.items() if reasons},
        version=pairs["version"][1].value if "version" in pairs else None,
    )


def profile_names(path: Path) -> list[str]:
    """The names of the profiles in the file. Raises ConfigError with file and line."""
    template = Template(_text(path), where=str(path))
    document = _document(yaml.SafeLoader(template.render()), path)
    return [str(key.value) for key, value in document.value if isinstance(value, yaml.MappingNode)]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        hint = "a Mage project has an io_config.yaml in its root"
        raise ConfigError("there is no such file", where=str(path), hint=hint) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not UTF-8: byte {error.start} cannot be read", where=str(path), hint="save the file as UTF-8"
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _document(loader: yaml.SafeLoader, path: Path) -> yaml.MappingNode:
    try:
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise _malformed(error, path) from error
    except RecursionError as error:
        raise ConfigError(f"not valid YAML: {TOO_DEEP}", where=f"{path}:1", hint="close its brackets") from error
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError("not a mapping of profiles", where=f"{path}:1", hint="begin with `default:`")
    return node


def _constructed(loader: yaml.SafeLoader, node: yaml.Node, path: Path) -> dict[str, Any]:
    try:
        values = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _malformed(error, path) from error
    except UNBUILDABLE as error:
        what, line = fault(yaml.SafeLoader(""), node)
        where = f"{path}:{line}" if line else str(path)
        raise ConfigError(f"not valid YAML: {what}", where=where, hint="mend it, or put it in quotes") from error
    return {str(key): value for key, value in values.items()}


def _malformed(error: Exception, path: Path) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "a value cannot be read"
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    hint = "mend the line, or the one above; put a value with : # [ { * & in quotes"
    return ConfigError(f"not valid YAML: {problem}", where=where, hint=hint)


def _resolve(template: Template, node: yaml.Node) -> list[Absent]:
    if isinstance(node, yaml.ScalarNode):
        return template.resolve(node)
    children = [child for item in node.value for child in (item if isinstance(item, tuple) else (item,))]
    return [reason for child in children for reason in _resolve(template, child)]


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1

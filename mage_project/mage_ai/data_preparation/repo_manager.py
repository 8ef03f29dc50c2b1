"""mage_ai.data_preparation.repo_manager: the project's settings. Older projects import `get_repo_path` from here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from mage_project.errors import ConfigError
from mage_project.io.templates import Template
from mage_project.io.yaml_faults import TOO_DEEP, UNBUILDABLE, fault
from mage_project.mage_ai.settings.repo import (
    get_data_dir,
    get_metadata_path,
    get_repo_name,
    get_repo_path,
    get_variables_dir,
    set_repo_path,
)

__all__ = [
    "ProjectType",
    "RepoConfig",
    "get_data_dir",
    "get_project_type",
    "get_project_uuid",
    "get_repo_config",
    "get_repo_name",
    "get_repo_path",
    "get_variables_dir",
    "set_repo_path",
]


class ProjectType(StrEnum):
    """Whether a project is by itself or part of a platform; here it is by itself."""

    MAIN = "main"
    STANDALONE = "standalone"
    SUB = "sub"


class RepoConfig:
    """The settings in the project's metadata.yaml, each an attribute; those that are not there are None."""

    def __init__(
        self, repo_path: str | None = None, config_dict: Mapping[str, Any] | None = None, **_kwargs: Any
    ) -> None:
        """Read the file, or take the settings of `config_dict`. Raises ConfigError where the file is no YAML."""
        self.repo_path = repo_path or get_repo_path()
        self.repo_name = get_repo_name(self.repo_path)
        self._settings = dict(config_dict or read_metadata(Path(self.repo_path)))

    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any], **_kwargs: Any) -> RepoConfig:
        """The settings of the mapping."""
        return cls(repo_path=config_dict.get("repo_path"), config_dict=config_dict)

    @property
    def metadata_path(self) -> str:
        """The file."""
        return get_metadata_path(self.repo_path)

    @property
    def variables_dir(self) -> str:
        """The folder for this project's data."""
        return get_variables_dir(self.repo_path, self._settings)

    def to_dict(self, **_kwargs: Any) -> dict[str, Any]:
        """The settings as they are in the file."""
        return dict(self._settings)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._settings.get(name)


def get_repo_config(repo_path: str | None = None, **_kwargs: Any) -> RepoConfig:
    """The project's settings."""
    return RepoConfig(repo_path=repo_path)


def get_project_type(repo_config: RepoConfig | None = None, repo_path: str | None = None) -> ProjectType:
    """What the settings say, else standalone."""
    config = repo_config or RepoConfig(repo_path=repo_path)
    return ProjectType(config.project_type or ProjectType.STANDALONE)


def get_project_uuid() -> str | None:
    """The id that Mage has given the project, if it has."""
    uuid = RepoConfig().project_uuid
    return None if uuid is None else str(uuid)


def read_metadata(project: Path) -> dict[str, Any]:
    """The project's metadata.yaml, its Jinja rendered; nothing where there is none."""
    file = project / "metadata.yaml"
    if not file.is_file():
        return {}
    template = Template(file.read_text("utf-8-sig"), where=str(file))
    loader = yaml.SafeLoader(template.render())
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            return {}
        _resolve(template, node)
        return _built(node, file)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"not valid YAML: {error.problem}", where=f"{file}:{line}") from error
    except RecursionError as error:
        raise ConfigError(f"not valid YAML: {TOO_DEEP}", where=f"{file}:1", hint="close its brackets") from error


def _built(node: yaml.MappingNode, file: Path) -> dict[str, Any]:
    loader = yaml.SafeLoader("")
    try:
        return dict(loader.construct_document(node))
    except UNBUILDABLE as error:
        what, line = fault(yaml.SafeLoader(""), node)
        where = f"{file}:{line or 1}"
        raise ConfigError(f"not valid YAML: {what}", where=where, hint="mend it, or put it in quotes") from error


def _resolve(template: Template, node: yaml.Node) -> None:
    if isinstance(node, yaml.ScalarNode):
        template.resolve(node)
        return
    for item in node.value:
        for child in item if isinstance(item, tuple) else (item,):
            _resolve(template, child)

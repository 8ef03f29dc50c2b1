"""mage_ai.data_preparation.variable_manager: the variables that stand in a pipeline's metadata.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mage_project.errors import ConfigError, did_you_mean
from mage_project.io.repo_path import repo_path as _current_repo_path
from mage_project.io.yaml_faults import UNBUILDABLE as _UNBUILDABLE
from mage_project.mage_ai.yaml_mapping import remove_entry, set_entry


def get_global_variables(pipeline_uuid: str, repo_path: str | None = None, **_kwargs: Any) -> dict[str, Any]:
    """All variables of the pipeline. Raises ConfigError if there is no such pipeline."""
    file = _metadata(pipeline_uuid, repo_path)
    try:
        document = yaml.safe_load(file.read_text("utf-8"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"not valid YAML: {error.problem}", where=f"{file}:{line}") from error
    except (*_UNBUILDABLE, yaml.YAMLError) as error:
        raise ConfigError("a value in it cannot be built", where=str(file), hint="mage-project check") from error
    variables = (document or {}).get("variables") if isinstance(document, dict) else None
    return dict(variables) if isinstance(variables, dict) else {}


def get_global_variable(pipeline_uuid: str, key: str) -> Any:
    """The variable's value, None if the pipeline has no such variable."""
    return get_global_variables(pipeline_uuid).get(key)


def get_variable(pipeline_uuid: str, block_uuid: str, key: str, **_kwargs: Any) -> Any:
    """A variable of the pipeline, for the block uuid 'global'. Outputs of blocks are not kept under names here."""
    if block_uuid == "global":
        return get_global_variable(pipeline_uuid, key)
    raise ConfigError(
        f"get_variable cannot give '{key}' of block '{block_uuid}': outputs of blocks are not kept as variables",
        hint=f"name '{block_uuid}' in upstream_blocks: its output is then the block's first argument",
    )


def set_global_variable(pipeline_uuid: str, key: str, value: Any, repo_path: str | None = None) -> None:
    """Write the variable into metadata.yaml and leave the rest of the file as it is, comments too."""
    _edit(_metadata(pipeline_uuid, repo_path), lambda text: set_entry(text, "variables", key, value))


def delete_global_variable(pipeline_uuid: str, key: str, repo_path: str | None = None) -> None:
    """Take the variable out of metadata.yaml; without it nothing changes."""
    _edit(_metadata(pipeline_uuid, repo_path), lambda text: remove_entry(text, "variables", key))


def _edit(file: Path, change: Any) -> None:
    try:
        changed = change(file.read_text("utf-8"))
    except (*_UNBUILDABLE, yaml.YAMLError) as error:
        raise ConfigError(f"the variables cannot be changed: {error}", where=str(file)) from error
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(changed, "utf-8")
    beside.replace(file)


def _metadata(pipeline_uuid: str, repo_path: str | None) -> Path:
    pipelines = Path(repo_path or _current_repo_path()) / "pipelines"
    file = pipelines / pipeline_uuid / "metadata.yaml"
    if file.is_file():
        return file
    names = [found.parent.name for found in pipelines.glob("*/metadata.yaml")]
    raise ConfigError(f"there is no pipeline '{pipeline_uuid}'.{did_you_mean(pipeline_uuid, names)}", where=str(file))

"""mage_ai.settings.repo: where the project is, and where it keeps what its runs leave."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mage_project.io import repo_path as _state

MAGE_DATA_DIR_ENV_VAR = "MAGE_DATA_DIR"
DEFAULT_MAGE_DATA_DIR = str(Path("~") / ".mage_data")


def get_repo_path(*_args: Any, absolute_path: bool = True, **_kwargs: Any) -> str:
    """The project's folder; Mage's further arguments choose among several projects of a platform, here is one."""
    path = _state.repo_path()
    return path if absolute_path else os.path.basename(path)  # noqa: PTH119 - Mage gives text


def set_repo_path(repo_path: str) -> None:
    """Say where the project is."""
    _state.set_repo_path(repo_path)


def get_repo_name(repo_path: str | None = None, root_project: bool = False) -> str:
    """The name of the project's folder."""
    return Path(repo_path or get_repo_path()).name


def base_repo_path_directory_name() -> str:
    """The folder that the project's folder is in."""
    return str(Path(get_repo_path()).parent)


def get_data_dir() -> str:
    """Where Mage keeps data of all projects: the variable MAGE_DATA_DIR, else `~/.mage_data`."""
    return os.environ.get(MAGE_DATA_DIR_ENV_VAR) or DEFAULT_MAGE_DATA_DIR


def get_metadata_path(repo_path: str | None = None, root_project: bool = False) -> str:
    """The project's metadata.yaml, whether or not it is there."""
    return str(Path(repo_path or get_repo_path()) / "metadata.yaml")


def get_variables_dir(
    repo_path: str | None = None, repo_config: Mapping[str, Any] | None = None, root_project: bool = False
) -> str:
    """The folder for this project's data, made if it is missing; a block may keep its own files in it.

    It is in MAGE_DATA_DIR, else in the `variables_dir` of the project's metadata.yaml, else in `~/.mage_data`.
    """
    from mage_project.mage_ai.data_preparation.repo_manager import read_metadata

    project = Path(repo_path or get_repo_path())
    given = os.environ.get(MAGE_DATA_DIR_ENV_VAR)
    if not given:
        settings = read_metadata(project) if repo_config is None else repo_config
        given = os.path.expanduser(settings.get("variables_dir") or DEFAULT_MAGE_DATA_DIR)  # noqa: PTH111 - may be s3://
    if given.startswith(("s3", "gs")):
        return given
    folder = Path(given)
    is_elsewhere = folder.is_absolute() and folder != project
    folder = folder / project.name if is_elsewhere else (project / folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)

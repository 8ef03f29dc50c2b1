"""mage_ai.settings.repo: where the project is."""

from __future__ import annotations

import os
from typing import Any

from mage_project.io import repo_path as _state


def get_repo_path(*_args: Any, absolute_path: bool = True, **_kwargs: Any) -> str:
    """The project's folder; Mage's further arguments choose among several projects of a platform, here is one."""
    path = _state.repo_path()
    return path if absolute_path else os.path.basename(path)  # noqa: PTH119 - Mage gives text


def set_repo_path(repo_path: str) -> None:
    """Say where the project is."""
    _state.set_repo_path(repo_path)

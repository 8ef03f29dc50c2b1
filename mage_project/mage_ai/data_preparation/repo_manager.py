"""mage_ai.data_preparation.repo_manager: where older projects import `get_repo_path` from."""

from __future__ import annotations

from mage_project.mage_ai.settings.repo import get_repo_path, set_repo_path

__all__ = ["get_repo_path", "set_repo_path"]

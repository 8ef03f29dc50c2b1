"""mage_ai.data_cleaner.transformer_actions.base"""

from __future__ import annotations

from mage_project.mage_ai.actions.execution import BaseAction

__all__ = ["BaseAction"]

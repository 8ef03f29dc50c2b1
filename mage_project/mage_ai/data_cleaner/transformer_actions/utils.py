"""mage_ai.data_cleaner.transformer_actions.utils"""

from __future__ import annotations

from mage_project.mage_ai.actions.building import build_action_variables, build_transformer_action
from mage_project.mage_ai.actions.cleaning import clean_column_name

__all__ = ["build_action_variables", "build_transformer_action", "clean_column_name"]

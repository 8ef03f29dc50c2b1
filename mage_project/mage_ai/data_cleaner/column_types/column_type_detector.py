"""mage_ai.data_cleaner.column_types.column_type_detector"""

from __future__ import annotations

from mage_project.mage_ai.actions.inference import infer_column_types

__all__ = ["infer_column_types"]

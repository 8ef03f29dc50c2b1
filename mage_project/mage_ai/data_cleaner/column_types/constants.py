"""mage_ai.data_cleaner.column_types.constants"""

from __future__ import annotations

from mage_project.mage_ai.actions.names import CATEGORICAL_TYPES, NUMBER_TYPES, STRING_TYPES, ColumnType

__all__ = ["CATEGORICAL_TYPES", "NUMBER_TYPES", "STRING_TYPES", "ColumnType"]

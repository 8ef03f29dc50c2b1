"""mage_ai.data_cleaner.transformer_actions.constants"""

from __future__ import annotations

from mage_project.mage_ai.actions.names import (
    CURRENCY_SYMBOLS,
    ActionType,
    Axis,
    ColumnType,
    ImputationStrategy,
    Operator,
    VariableType,
)

__all__ = [
    "CURRENCY_SYMBOLS",
    "ActionType",
    "Axis",
    "ColumnType",
    "ImputationStrategy",
    "Operator",
    "VariableType",
]

"""The mapping that tells an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mage_project.mage_ai.actions.inference import infer_column_types
from mage_project.mage_ai.actions.names import Axis

if TYPE_CHECKING:
    import pandas as pd


def build_action_variables(
    df: pd.DataFrame, ctypes: Mapping[str, Any] | None = None, columns: Iterable[str] | None = None
) -> dict[str, Any]:
    """For each column (or those of `columns`) its name and type; types that `ctypes` has not are inferred."""
    types = infer_column_types(df, column_types=ctypes)
    names = df.columns if columns is None else columns
    return {name: {"feature": {"column_type": types[name], "uuid": name}, "type": "feature"} for name in names}


def build_transformer_action(
    df: pd.DataFrame,
    action_type: str,
    arguments: Iterable[str] = (),
    action_code: str = "",
    options: Mapping[str, Any] | None = None,
    axis: str = Axis.COLUMN,
    outputs: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The action for BaseAction: what to do (`ActionType`), to which columns, with which options.

    `outputs` name the new columns and their types: `[{'uuid': 'total', 'column_type': 'number'}]`.
    """
    return {
        "action_type": action_type,
        "action_arguments": list(arguments),
        "action_code": action_code,
        "action_options": dict(options or {}),
        "action_variables": build_action_variables(df),
        "axis": axis,
        "outputs": [dict(output) for output in outputs],
    }

"""The action that fills in missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from mage_project.errors import BlockError
from mage_project.mage_ai.actions.names import NUMBER_TYPES, ColumnType, ImputationStrategy
from mage_project.mage_ai.actions.values import blanks_to_missing, converted, plain, type_of

Action = dict[str, Any]


def impute(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Fill missing and blank values by the option `strategy`, or with the option `value`.

    Afterwards the values have their column's type: a number that is still missing is 0.
    """
    options = action["action_options"]
    names = action["action_arguments"]
    strategy, value = options.get("strategy"), options.get("value")
    if strategy == ImputationStrategy.SEQ:
        df = df.sort_values(by=options.get("timeseries_index"))
    before = {name: df[name].dtype for name in names}
    for name in names:
        values = plain(blanks_to_missing(df[name]))
        filled = _filled(values, strategy, value, kind=type_of(action, name), df=df)
        df[name] = _as_before(converted(filled.infer_objects(), type_of(action, name)), before[name])
    return df


def _filled(
    values: pd.Series[Any], strategy: str | None, value: Any, *, kind: ColumnType | None, df: pd.DataFrame
) -> pd.Series[Any]:
    if strategy in {ImputationStrategy.AVERAGE, ImputationStrategy.MEDIAN}:
        numbers = values.astype(float)
        return _with(values, numbers.mean() if strategy == ImputationStrategy.AVERAGE else numbers.median())
    if strategy == ImputationStrategy.CONSTANT:
        return _with(values, _constant(kind) if value is None else _own(value, values.name))
    if strategy == ImputationStrategy.MODE:
        return _with(values, _mode(values))
    if strategy == ImputationStrategy.COLUMN:
        return values.astype(object).where(values.notna(), df[value].astype(object))
    if strategy == ImputationStrategy.SEQ:
        return values.ffill()
    if strategy == ImputationStrategy.RANDOM:
        return _drawn(values)
    if value is not None:
        return _with(values, _own(value, values.name))
    known = ", ".join(name for name in ImputationStrategy if name not in {"no_action", "remove_rows"})
    raise BlockError(f"impute has no strategy '{strategy}' and no value to fill in", hint=f"strategies: {known}")


def _with(values: pd.Series[Any], value: Any) -> pd.Series[Any]:
    """The value where there is none; as objects, because it need not be of the column's type."""
    if isinstance(value, float) and np.isnan(value):
        return values
    return values.astype(object).where(
        values.notna(), pd.Series([value] * len(values), index=values.index, dtype=object)
    )


def _own(value: Any, name: Any) -> Any:
    """A mapping gives each column its own value."""
    return value.get(name, np.nan) if isinstance(value, dict) else value


def _constant(kind: ColumnType | None) -> Any:
    if kind in NUMBER_TYPES:
        return 0
    if kind == ColumnType.DATETIME:
        return pd.Timestamp.min
    return "[]" if kind == ColumnType.LIST else "missing"


def _mode(values: pd.Series[Any]) -> Any:
    """The most frequent value, the least of several; lists are counted by their texts."""
    known = values.dropna()
    if known.empty:
        return np.nan
    if not isinstance(known.iloc[0], list):
        return known.mode().iloc[0]
    text = known.astype(str).mode().iloc[0]
    return known[known.astype(str) == text].iloc[0]


def _drawn(values: pd.Series[Any]) -> pd.Series[Any]:
    """Each missing value is one of the others, drawn by chance."""
    is_missing = values.isna()
    if is_missing.all():
        raise BlockError(f"column '{values.name}' has no value that a random one could be drawn from")
    drawn = values[~is_missing].sample(int(is_missing.sum()), replace=True)
    filled = values.astype(object)
    filled[is_missing] = drawn.to_numpy()
    return filled


def _as_before(values: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """Texts keep the type that their column had."""
    is_string = types.is_string_dtype(dtype) and not types.is_object_dtype(dtype)
    if is_string and types.infer_dtype(values) == "string":
        return values.astype(dtype)
    return values

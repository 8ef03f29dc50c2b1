"""The action that removes rows unlike the others, by scikit-learn's methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mage_project.errors import BlockError, ConfigError, did_you_mean
from mage_project.mage_ai.actions.names import NUMBER_TYPES
from mage_project.mage_ai.actions.values import plain, type_of

Action = dict[str, Any]

_METHODS = ("auto", "lof", "itree")
#: The share of rows that are taken for outliers, at least and at most.
_SHARE = (0.025, 0.15)
_DIMENSIONS = 20


def remove_outliers(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Without the outliers among the rows that have a value in every numeric column of the arguments.

    The option `method`: 'lof' (local outlier factor), 'itree' (isolation forest), or 'auto' ('lof' for up to five
    columns). Raises ConfigError without scikit-learn.
    """
    method = action["action_options"].get("method", "auto")
    if method not in _METHODS:
        raise BlockError(f"there is no method '{method}'.{did_you_mean(str(method), _METHODS)}")
    names = sorted({name for name in action["action_arguments"] if type_of(action, name) in NUMBER_TYPES})
    numbers = pd.DataFrame({name: plain(df[name]).astype(float) for name in names}, index=df.index)
    is_whole = numbers.notna().all(axis=1).to_numpy()
    if not names or not is_whole.any():
        return df
    keep = np.ones(len(df), dtype=bool)
    keep[is_whole] = ~_are_outliers(numbers[is_whole].to_numpy(), method)
    return df[keep]


def _are_outliers(rows: Any, method: str) -> Any:
    try:
        from sklearn.decomposition import PCA
        from sklearn.ensemble import IsolationForest
        from sklearn.neighbors import LocalOutlierFactor
    except ImportError as error:
        raise ConfigError("remove_outliers needs scikit-learn", hint="pip install scikit-learn") from error
    count, dimensions = rows.shape
    share = float(np.clip(_share(rows), *_SHARE))
    if dimensions > _DIMENSIONS:
        rows = PCA(n_components=_DIMENSIONS, random_state=42).fit_transform(rows)
    if method == "lof" or (method == "auto" and dimensions <= 5):
        judge = LocalOutlierFactor(n_neighbors=_neighbours(count, share), contamination=share)
    else:
        judge = IsolationForest(contamination=share, n_estimators=100, random_state=42)
    return judge.fit_predict(rows) == -1


def _share(rows: Any) -> float:
    """The share of rows that are further than 1.5 interquartile ranges out in at least half of the columns."""
    low, high = np.quantile(rows, 0.25, axis=0), np.quantile(rows, 0.75, axis=0)
    margin = 1.5 * (high - low)
    is_out = (rows < low - margin) | (rows > high + margin)
    return float((is_out.mean(axis=1) >= 0.5).mean())


def _neighbours(count: int, share: float) -> int:
    if count < 10:
        return 2
    if count < 500:
        return count // 10 + 1
    return 20 if share <= 0.1 else 35

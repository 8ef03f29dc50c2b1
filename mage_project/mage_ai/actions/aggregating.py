"""Actions that put a summary of a column, of all rows or of each group, into a new column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from mage_project.errors import BlockError
from mage_project.mage_ai.actions.conditions import matching

Action = dict[str, Any]

_WINDOW = ("timestamp_feature_a", "timestamp_feature_b", "window")


def summarising(method: str, *, needs_groups: bool = False) -> Callable[[pd.DataFrame, Action], pd.DataFrame]:
    """The action that adds pandas' aggregate `method` of its columns, per group of the option `groupby_columns`."""

    def summarise(df: pd.DataFrame, action: Action) -> pd.DataFrame:
        names = action["action_arguments"]
        if not names:
            return df
        groups = action["action_options"].get("groupby_columns")
        if groups:
            return _of_groups(df, action, groups, method)
        if needs_groups:
            what = f"{action['action_type']} needs the columns to group by"
            raise BlockError(what, hint="options={'groupby_columns': ['…']}")
        df[output_of(action)] = _of_all(df[names[0]], method)
        return df

    return summarise


def output_of(action: Action) -> str:
    """The name of the new column."""
    if not action.get("outputs"):
        what = f"{action['action_type']} needs the name of the new column"
        raise BlockError(what, hint="outputs=[{'uuid': 'total', 'column_type': 'number'}]")
    return str(action["outputs"][0]["uuid"])


def _of_all(values: pd.Series[Any], method: str) -> Any:
    if method in {"first", "last"}:
        known = values.dropna()
        return known.iloc[0 if method == "first" else -1] if len(known) else None
    return values.agg(method)


def _of_groups(df: pd.DataFrame, action: Action, groups: list[str], method: str) -> pd.DataFrame:
    names = action["action_arguments"]
    chosen = _in_window(df, action["action_options"])
    chosen = chosen[matching(chosen, action.get("action_code") or "")]
    summary: Any = chosen.groupby(groups)[names].agg(method)
    new = dict(zip(names, [output["uuid"] for output in action["outputs"]], strict=False))
    return df.merge(summary.rename(columns=new), on=groups, how="left")


def _in_window(df: pd.DataFrame, options: Action) -> pd.DataFrame:
    """Rows whose time b is at most `window` seconds before time a; after it, where the window is negative."""
    if not all(name in options for name in _WINDOW):
        return df
    first, second, window_s = (options[name] for name in _WINDOW)
    apart_s = (_times(df[first]) - _times(df[second])).dt.total_seconds()
    return df[apart_s.between(min(0, window_s), max(0, window_s)).astype(bool)]


def _times(values: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(values, format="mixed", utc=True)


def shift_down(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """A new column with the value of an earlier row: `periods` before, within groups of `groupby_columns`."""
    options = action.get("action_options", {})
    return _shifted(df, action, options.get("periods", 1), options.get("groupby_columns"))


def shift_up(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """A new column with the value of the next row."""
    return _shifted(df, action, -1, None)


def _shifted(df: pd.DataFrame, action: Action, periods: int, groups: list[str] | None) -> pd.DataFrame:
    if action["action_arguments"]:
        name = action["action_arguments"][0]
        source = df[name] if groups is None else df.groupby(groups)[name]
        df[output_of(action)] = source.shift(periods)
    return df


def diff(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """A new column with the difference to the row before."""
    if action["action_arguments"]:
        df[output_of(action)] = df[action["action_arguments"][0]].diff()
    return df


def normalize(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """The columns on a scale from 0, their least value, to 1, their greatest."""
    for name in action["action_arguments"]:
        least, greatest = df[name].min(), df[name].max()
        df[name] = (df[name] - least) / (greatest - least)
    return df


def standardize(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """The columns with mean 0 and standard deviation (of the population) 1."""
    for name in action["action_arguments"]:
        df[name] = (df[name] - df[name].mean()) / df[name].std(ddof=0)
    return df

"""Does what an action says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from mage_project.errors import BlockError, did_you_mean
from mage_project.mage_ai.actions import adding, aggregating, cleaning, filling, outliers, rows
from mage_project.mage_ai.actions.joining import join
from mage_project.mage_ai.actions.names import ActionType, Axis
from mage_project.mage_ai.actions.scripts import run_script

Action = dict[str, Any]

_COLUMN: dict[str, Callable[[pd.DataFrame, Action], pd.DataFrame]] = {
    ActionType.ADD: adding.add,
    ActionType.AVERAGE: aggregating.summarising("mean"),
    ActionType.CLEAN_COLUMN_NAME: cleaning.clean_column_names,
    ActionType.COUNT: aggregating.summarising("count", needs_groups=True),
    ActionType.COUNT_DISTINCT: aggregating.summarising("nunique", needs_groups=True),
    ActionType.CUSTOM: run_script,
    ActionType.DIFF: aggregating.diff,
    ActionType.FIRST: aggregating.summarising("first"),
    ActionType.FIX_SYNTAX_ERRORS: cleaning.fix_syntax_errors,
    ActionType.IMPUTE: filling.impute,
    ActionType.LAST: aggregating.summarising("last"),
    ActionType.MAX: aggregating.summarising("max"),
    ActionType.MEDIAN: aggregating.summarising("median"),
    ActionType.MIN: aggregating.summarising("min"),
    ActionType.NORMALIZE: aggregating.normalize,
    ActionType.REFORMAT: cleaning.reformat,
    ActionType.REMOVE: cleaning.remove,
    ActionType.REMOVE_OUTLIERS: outliers.remove_outliers,
    ActionType.SELECT: cleaning.select,
    ActionType.SHIFT_DOWN: aggregating.shift_down,
    ActionType.SHIFT_UP: aggregating.shift_up,
    ActionType.STANDARDIZE: aggregating.standardize,
    ActionType.SUM: aggregating.summarising("sum"),
}
_ROW: dict[str, Callable[[pd.DataFrame, Action], pd.DataFrame]] = {
    ActionType.CUSTOM: run_script,
    ActionType.DROP_DUPLICATE: rows.drop_duplicates,
    ActionType.FILTER: rows.filter_rows,
    ActionType.REMOVE: rows.remove,
    ActionType.SORT: rows.sort,
}
_BY_AXIS = {Axis.COLUMN: _COLUMN, Axis.ROW: _ROW}
#: Names that Mage has too, with nothing behind them there, and what pandas has for them.
_IN_PANDAS = {
    ActionType.EXPAND_COLUMN: "df[column].str.split(..., expand=True)",
    ActionType.EXPLODE: "df.explode(column)",
    ActionType.LIMIT: "df.head(n)",
    ActionType.MODE: "df[column].mode()",
    ActionType.SCALE: "the actions normalize and standardize",
    ActionType.UNION: "pd.concat([df, other])",
    ActionType.UPDATE_TYPE: "df[column].astype(...)",
    ActionType.UPDATE_VALUE: "df.loc[condition, column] = value",
}


class BaseAction:
    """An action, as `build_transformer_action` makes it, ready to be done."""

    def __init__(self, action: Mapping[str, Any]) -> None:
        self.action: Action = dict(action)

    @property
    def action_type(self) -> Any:
        """One of `ActionType`."""
        return self.action["action_type"]

    @property
    def axis(self) -> Any:
        """One of `Axis`."""
        return self.action["axis"]

    def execute(self, df: pd.DataFrame, **kwargs: Any) -> pd.DataFrame:
        """The frame after the action; as in Mage, actions that fill or add columns change the given frame too.

        A frame without rows is returned as it is. `df_to_join` is the other frame of a join. Raises BlockError for an
        action that is not there, or is told wrongly.
        """
        self.action = _interpolated(self.action)
        if df.empty:
            return df
        if self.action_type == ActionType.GROUP:
            return _grouped(df, self.action)
        if self.action_type == ActionType.JOIN:
            return join(df, kwargs.get("df_to_join"), self.action)
        return self._function()(df, self.action)

    def _function(self) -> Callable[[pd.DataFrame, Action], pd.DataFrame]:
        known = _BY_AXIS.get(self.axis, {})
        if self.action_type in known:
            return known[self.action_type]
        if self.action_type in _IN_PANDAS:
            what = f"'{self.action_type}' is a name without an action behind it, in Mage too"
            raise BlockError(what, hint=f"use pandas: {_IN_PANDAS[self.action_type]}")
        other = next((axis for axis, functions in _BY_AXIS.items() if self.action_type in functions), None)
        what = f"there is no action '{self.action_type}' for axis '{self.axis}'."
        hint = f"axis=Axis.{other.name}" if other else f"actions: {', '.join(known)}"
        raise BlockError(what + did_you_mean(str(self.action_type), known), hint=hint)


def _grouped(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """The actions in `child_actions`, done to each group of the columns by itself; the groups' keys are the index."""
    parts = {}
    for key, part in df.groupby(action["action_arguments"]):
        for child in action["child_actions"]:
            part = BaseAction(child).execute(part.copy())
        parts[key] = part
    return pd.concat(parts, names=action["action_arguments"])


def _interpolated(action: Action) -> Action:
    """With the names of the action's variables where the code, the arguments or the options say `%{1_2}`."""
    names = {
        str(key): name for key, variable in (action.get("action_variables") or {}).items() if (name := _name(variable))
    }
    pattern = re.compile(r"%\{(" + "|".join(map(re.escape, names)) + r")\}")
    if not names or not pattern.search(json.dumps(action, default=str)):
        return action

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda match: names[match[1]], value)
        if isinstance(value, list | tuple):
            return [filled(item) for item in value]
        return {key: filled(item) for key, item in value.items()} if isinstance(value, dict) else value

    return {
        **action,
        **{part: filled(action.get(part)) for part in ("action_code", "action_arguments", "action_options")},
    }


def _name(variable: Mapping[str, Any] | None) -> str | None:
    if not variable:
        return None
    if variable["type"] == "feature":
        return str(variable["feature"]["uuid"])
    version = variable.get("feature_set_version") or {}
    name = (version.get("feature_set") or {}).get("uuid")
    return str(name) if name is not None else None

"""The action that computes a new column; its option `udf` names how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mage_project.errors import BlockError, did_you_mean
from mage_project.mage_ai.actions.aggregating import output_of
from mage_project.mage_ai.actions.conditions import matching
from mage_project.mage_ai.actions.names import ColumnType
from mage_project.mage_ai.actions.values import converted, plain, type_of

Action = dict[str, Any]

_EARTH_RADIUS_KM = 6371


def add(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Compute the new column from the columns of the arguments; nothing without arguments or `udf`."""
    name = action["action_options"].get("udf")
    if name is None or not action["action_arguments"]:
        return df
    if name not in _COMPUTED:
        raise BlockError(f"there is no udf '{name}'.{did_you_mean(str(name), _COMPUTED)}", hint=", ".join(_COMPUTED))
    new = output_of(action)
    given = action["outputs"][0].get("column_type")
    values = pd.Series(_COMPUTED[name](df, action), index=df.index, name=new)
    df[new] = converted(values, ColumnType(given) if given else None)
    return df


def _addition(df: pd.DataFrame, action: Action) -> Any:
    first, *others = action["action_arguments"]
    value = _option(action, "value")
    if not others and value is None:
        raise BlockError("addition needs a second column, or a value in its options")
    result = df[first]
    for name in others:
        result = result + df[name]
    if value is None:
        return result
    return _moved(result, action, 1) if _is_time(action, first) else result + value


def _difference(df: pd.DataFrame, action: Action) -> Any:
    first, *others = action["action_arguments"]
    if others:
        if _is_time(action, first):
            return (_times(df[first], utc=True) - _times(df[others[0]], utc=True)).dt.days
        return df[first] - df[others[0]]
    value = _needed(action, "value", "difference needs a second column, or a value in its options")
    return _moved(df[first], action, -1) if _is_time(action, first) else df[first] - value


def _multiply(df: pd.DataFrame, action: Action) -> Any:
    first, *others = action["action_arguments"]
    if others:
        return df[first].astype(float) * df[others[0]].astype(float)
    return df[first] * float(_needed(action, "value", "multiply needs a second column, or a value in its options"))


def _divide(df: pd.DataFrame, action: Action) -> Any:
    first, *others = action["action_arguments"]
    if others:
        return df[first].astype(float) / df[others[0]].astype(float)
    return df[first] / float(_needed(action, "value", "divide needs a second column, or a value in its options"))


def _constant(df: pd.DataFrame, action: Action) -> Any:
    return pd.Series([action["action_arguments"][0]] * len(df), index=df.index)


def _date_trunc(df: pd.DataFrame, action: Action) -> Any:
    """The Monday of the week."""
    if _option(action, "date_part") != "week":
        raise BlockError("date_trunc knows the date_part 'week' only, as in Mage")
    times = _times(df[action["action_arguments"][0]])
    return (times - pd.to_timedelta(times.dt.day_of_week, unit="D")).dt.strftime("%Y-%m-%d")


def _distance_between(df: pd.DataFrame, action: Action) -> Any:
    """Kilometres on a sphere; the columns are latitude, longitude, latitude, longitude, in degrees."""
    lat_a, lng_a, lat_b, lng_b = (np.radians(df[name].astype(float)) for name in action["action_arguments"][:4])
    chord = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lng_b - lng_a) / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(chord))


def _formatted_date(df: pd.DataFrame, action: Action) -> Any:
    return _times(df[action["action_arguments"][0]]).dt.strftime(action["action_options"]["format"])


def _if_else(df: pd.DataFrame, action: Action) -> Any:
    """The first argument where the condition in `action_code` holds, else the second; values unless said columns."""
    then, otherwise = (
        df[argument] if _option(action, f"{place}_type") == "column" else argument
        for place, argument in zip(("arg1", "arg2"), action["action_arguments"], strict=False)
    )
    chosen = pd.Series(np.where(matching(df, action.get("action_code") or ""), then, None), index=df.index)
    return chosen.where(chosen.notna(), otherwise).infer_objects()


def _string_replace(df: pd.DataFrame, action: Action) -> Any:
    pattern, new = _option(action, "pattern"), _option(action, "replacement")
    if not pattern and not new:
        raise BlockError("string_replace needs the options pattern and replacement")
    return df[action["action_arguments"][0]].str.replace(
        pattern, new, regex=action["action_options"].get("regex", True)
    )


def _string_split(df: pd.DataFrame, action: Action) -> Any:
    separator, part = _option(action, "separator"), _option(action, "part_index")
    if separator is None or part is None:
        raise BlockError("string_split needs the options separator and part_index")
    return plain(df[action["action_arguments"][0]]).str.split(separator).str[part].str.strip()


def _substring(df: pd.DataFrame, action: Action) -> Any:
    start, stop = _option(action, "start"), _option(action, "stop")
    if start is None and stop is None:
        raise BlockError("substring needs one of the options start and stop")
    return df[action["action_arguments"][0]].str.slice(start=start, stop=stop)


_COMPUTED: dict[str, Callable[[pd.DataFrame, Action], Any]] = {
    "addition": _addition,
    "constant": _constant,
    "date_trunc": _date_trunc,
    "difference": _difference,
    "distance_between": _distance_between,
    "divide": _divide,
    "formatted_date": _formatted_date,
    "if_else": _if_else,
    "multiply": _multiply,
    "string_replace": _string_replace,
    "string_split": _string_split,
    "substring": _substring,
}


def _option(action: Action, name: str) -> Any:
    return action["action_options"].get(name)


def _needed(action: Action, name: str, what: str) -> Any:
    if _option(action, name) is None:
        raise BlockError(what)
    return _option(action, name)


def _is_time(action: Action, name: str) -> bool:
    return (_option(action, "column_type") or type_of(action, name)) == ColumnType.DATETIME


def _times(values: pd.Series[Any], *, utc: bool = False) -> pd.Series[Any]:
    return pd.to_datetime(plain(values), format="mixed", utc=utc)


def _moved(values: pd.Series[Any], action: Action, sign: int) -> pd.Series[Any]:
    """Times moved by the option `value`, in days or the option `time_unit`, as texts."""
    step = pd.to_timedelta(_option(action, "value"), unit=_option(action, "time_unit") or "D")
    moved: pd.Series[Any] = (_times(values, utc=True) + sign * step).dt.strftime("%Y-%m-%d %H:%M:%S")
    return moved

"""Values of columns, brought to the type that an action says they have."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from mage_project.mage_ai.actions.names import ColumnType

_SEPARATOR = re.compile(r"\s*,\s*")


def type_of(action: dict[str, Any], name: str) -> ColumnType | None:
    """The type that the action's variables give the column."""
    for variable in action.get("action_variables", {}).values():
        feature = (variable or {}).get("feature")
        if feature and feature["uuid"] == name and feature.get("column_type"):
            return ColumnType(feature["column_type"])
    return None


def blanks_to_missing(series: pd.Series[Any]) -> pd.Series[Any]:
    """Texts of nothing but white space become missing."""
    if types.is_numeric_dtype(series.dtype) or types.is_datetime64_any_dtype(series.dtype):
        return series
    is_blank = series.map(lambda value: isinstance(value, str) and not value.strip()).astype(bool)
    if types.is_object_dtype(series.dtype):
        return series.mask(is_blank, np.nan).infer_objects()
    return series.mask(is_blank)


def plain(series: pd.Series[Any]) -> pd.Series[Any]:
    """The values in a type that takes any filling: numbers as NumPy's float or int, times as they are, else objects."""
    dtype = series.dtype
    if types.is_bool_dtype(dtype):
        return series.astype(object if series.isna().any() else bool)
    if types.is_numeric_dtype(dtype):
        if types.is_extension_array_dtype(dtype):
            return series.astype("int64" if types.is_integer_dtype(dtype) and series.notna().all() else "float64")
        return series
    if types.is_datetime64_any_dtype(dtype):
        return _numpy_times(series) if isinstance(dtype, pd.ArrowDtype) else series
    return series.astype(object).where(series.notna(), np.nan)


def _numpy_times(series: pd.Series[Any]) -> pd.Series[Any]:
    zone: Any = series.dt.tz
    if zone is None:
        return series.astype("datetime64[us]")
    times: pd.Series[Any] = (
        series.dt.tz_convert(None).astype("datetime64[us]").dt.tz_localize("UTC").dt.tz_convert(zone)
    )
    return times


def converted(series: pd.Series[Any], kind: ColumnType | None) -> pd.Series[Any]:
    """The values as the type wants them. A missing whole number is 0, as in Mage."""
    if kind == ColumnType.NUMBER:
        return plain(blanks_to_missing(series)).fillna(0).infer_objects().astype(np.int64)
    if kind == ColumnType.NUMBER_WITH_DECIMALS:
        return series.dropna().astype(float)
    if kind == ColumnType.TEXT:
        return series.dropna().astype(str)
    return series.map(parsed_list) if kind == ColumnType.LIST else series


def parsed_list(value: Any) -> Any:
    """The list that a text such as `[1, 'a']` means; an item that is no literal is None. Anything else as it is."""
    if not isinstance(value, str) or value[:1] not in {"[", "("} or value[-1:] not in {"]", ")"}:
        return value
    inner = value.strip("[]() ")
    return [_literal(item) for item in _SEPARATOR.split(inner)] if inner else []


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None

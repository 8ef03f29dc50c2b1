"""Which `ColumnType` a column has, by its dtype and its values, as Mage infers it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from mage_project.mage_ai.actions import patterns
from mage_project.mage_ai.actions.names import NUMBER_TYPES, ColumnType

#: A larger frame is judged by as many of its rows, always the same ones.
_SAMPLED_ROWS = 100_000
_CATEGORIES = 255
_MANY_WORDS = 40
_PHONE_WORDS = ("phone", "landline")
_ZIP_WORDS = ("zip", "postal", "postcode")


def infer_column_types(
    df: pd.DataFrame, column_types: Mapping[str, Any] | None = None, **_kwargs: Any
) -> dict[str, Any]:
    """The type of each column; those in `column_types` are taken as they are."""
    known = {name: kind for name, kind in (column_types or {}).items() if name in df.columns}
    sample = df.sample(_SAMPLED_ROWS, random_state=0) if len(df) > _SAMPLED_ROWS else df
    return known | {name: infer_column_type(sample[name], str(name)) for name in df.columns if name not in known}


def infer_column_type(series: pd.Series[Any], name: str) -> ColumnType:
    """The type of one column, whose name tells phone numbers and zip codes from other numbers."""
    if types.is_datetime64_any_dtype(series.dtype):
        return ColumnType.DATETIME
    if types.is_bool_dtype(series.dtype):
        return ColumnType.TRUE_OR_FALSE
    if types.is_numeric_dtype(series.dtype):
        kind = _of_numbers(series, name.lower())
        is_pair = kind in NUMBER_TYPES and series.nunique(dropna=False) == 2
        return ColumnType.TRUE_OR_FALSE if is_pair else kind
    return _of_objects(series.astype(object), name.lower())


def _of_numbers(series: pd.Series[Any], name: str) -> ColumnType:
    values = series.dropna().to_numpy(dtype=float)
    if not len(values):
        return ColumnType.NUMBER_WITH_DECIMALS
    is_whole = np.floor(values) == values
    if "phone" in name and np.mean((values >= 1e9) & (values < 1e12) & is_whole) >= 0.8:
        return ColumnType.PHONE_NUMBER
    if types.is_integer_dtype(series.dtype):
        is_zip = _has(name, _ZIP_WORDS) and values.min() >= 100 and values.max() <= 99_999
        return ColumnType.ZIP_CODE if is_zip else ColumnType.NUMBER
    return ColumnType.NUMBER if is_whole.all() else ColumnType.NUMBER_WITH_DECIMALS


def _of_objects(series: pd.Series[Any], name: str) -> ColumnType:
    values = series.map(lambda value: value.strip(" '\"") if isinstance(value, str) else value)
    values = values[values.notna() & (values != "")]
    first = values.iloc[0] if len(values) else None
    if isinstance(first, list | tuple | set):
        return ColumnType.LIST
    distinct = values.nunique()
    if distinct <= 2:
        return ColumnType.TRUE_OR_FALSE
    if isinstance(first, bool | np.bool_):
        return ColumnType.CATEGORY
    texts = values.astype(str)
    if _share(texts, patterns.NUMBER) == 1:
        return _of_numeric_texts(texts, name, distinct)
    return _of_known_texts(texts, name) or _of_free_texts(texts, distinct)


def _of_numeric_texts(texts: pd.Series[str], name: str, distinct: int) -> ColumnType:
    if _share(texts, patterns.INTEGER) < 1:
        return ColumnType.NUMBER_WITH_DECIMALS
    if _has(name, _PHONE_WORDS) and _share(texts, patterns.PHONE_NUMBER) >= 0.8:
        return ColumnType.PHONE_NUMBER
    if _has(name, _ZIP_WORDS) and _share(texts, patterns.ZIP_CODE) >= 0.8:
        return ColumnType.ZIP_CODE
    digits = texts.str.replace(r"\.0*$|\D", "", regex=True).str.len()
    return ColumnType.NUMBER if digits.max() < 19 else _category(distinct)


def _of_known_texts(texts: pd.Series[str], name: str) -> ColumnType | None:
    if _share(texts, patterns.DATETIME) >= 0.5:
        return ColumnType.DATETIME
    if _share(texts, patterns.EMAIL) >= 0.3:
        return ColumnType.EMAIL
    if _has(name, _PHONE_WORDS) and _share(texts, patterns.PHONE_NUMBER) >= 0.3:
        return ColumnType.PHONE_NUMBER
    if _has(name, _ZIP_WORDS) and _share(texts, patterns.ZIP_CODE) >= 0.3:
        return ColumnType.ZIP_CODE
    return ColumnType.LIST if _share(texts, patterns.LIST) >= 0.3 else None


def _of_free_texts(texts: pd.Series[str], distinct: int) -> ColumnType:
    words = int(texts.str.count(" ").max()) + 1
    if distinct / len(texts) >= 0.8 or words > _MANY_WORDS:
        return ColumnType.TEXT
    return _category(distinct)


def _category(distinct: int) -> ColumnType:
    return ColumnType.CATEGORY if distinct <= _CATEGORIES else ColumnType.CATEGORY_HIGH_CARDINALITY


def _share(texts: pd.Series[str], pattern: re.Pattern[str]) -> float:
    """How many of the texts match from their beginning, 0 to 1."""
    return sum(pattern.match(text) is not None for text in texts) / len(texts)


def _has(name: str, words: Iterable[str]) -> bool:
    return any(word in name for word in words)

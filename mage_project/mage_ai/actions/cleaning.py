"""Actions on columns: their names, which of them stay, and the form of their values."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from keyword import iskeyword
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from mage_project.errors import BlockError, did_you_mean
from mage_project.mage_ai.actions import patterns
from mage_project.mage_ai.actions.names import CURRENCY_SYMBOLS, NUMBER_TYPES, ColumnType
from mage_project.mage_ai.actions.values import blanks_to_missing, type_of

log = logging.getLogger(__name__)

Action = dict[str, Any]

_WORD = "[A-Z][a-z]*"
_PATTERNS = {
    ColumnType.EMAIL: patterns.EMAIL,
    ColumnType.PHONE_NUMBER: patterns.PHONE_NUMBER,
    ColumnType.ZIP_CODE: patterns.ZIP_CODE,
    ColumnType.NUMBER: patterns.NUMBER,
    ColumnType.NUMBER_WITH_DECIMALS: patterns.NUMBER,
    ColumnType.DATETIME: patterns.DATETIME,
}


def clean_column_name(name: Any) -> str:
    """`'Pickup Date'` is `pickup_date`, `VendorID` is `vendor_i_d`, `2020` is `number_2020`, `class` is `class_`."""
    cleaned = re.sub(r"[\s.-]", "_", _no_keyword(str(name)).strip(" '\"_-"))
    cleaned = re.sub(r"\W", "", cleaned, flags=re.ASCII)
    if patterns.NUMBER.match(cleaned):
        cleaned = f"number_{cleaned}"
    cleaned = _no_keyword(cleaned)
    if not re.fullmatch("[A-Z0-9]+", cleaned) and re.fullmatch(f"[a-z]*(?:{_WORD})*", cleaned):
        cleaned = "_".join(re.findall(f"^[a-z]+|{_WORD}", cleaned))
    return cleaned.lower()


def clean_column_names(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Rename the columns."""
    return df.rename(columns={name: clean_column_name(name) for name in action["action_arguments"]})


def select(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Only these columns."""
    return df[action["action_arguments"]]


def remove(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Without these columns; one that is not there is no error."""
    return df.drop(columns=[name for name in action["action_arguments"] if name in df.columns])


def fix_syntax_errors(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Values that are not what their column's type says become 'invalid', or missing where that is no value."""
    for name in _texts(df, action["action_arguments"]):
        kind = type_of(action, name)
        pattern = _PATTERNS.get(kind) if kind else None
        if pattern is not None:
            df[name] = df[name].astype(object).mask(_is_wrong(df[name], pattern, kind), _placeholder(kind))
    return df


def _is_wrong(series: pd.Series[Any], pattern: re.Pattern[str], kind: ColumnType | None) -> pd.Series[bool]:
    known = set() if _placeholder(kind) is np.nan else {"invalid", "missing"}
    return series.map(lambda value: not pd.isna(value) and not pattern.match(str(value)) and value not in known)


def _placeholder(kind: ColumnType | None) -> Any:
    return np.nan if kind in NUMBER_TYPES or kind == ColumnType.DATETIME else "invalid"


def reformat(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Bring values into the form of the option `reformat`; with none, blank texts become missing."""
    form = action["action_options"].get("reformat")
    if form is None:
        return _blanks(df, action)
    if form not in _FORMS:
        raise BlockError(f"there is no reformat '{form}'.{did_you_mean(str(form), _FORMS)}", hint=", ".join(_FORMS))
    return _FORMS[form](df, action)


def _capitals(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    is_upper = action["action_options"]["capitalization"] == "uppercase"
    for name in _texts(df, action["action_arguments"]):
        df[name] = df[name].str.upper() if is_upper else df[name].str.lower()
    return _blanks(df, action)


def _amounts(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """A number with a comma for the thousands is no number here, as in Mage."""
    for name in _texts(df, action["action_arguments"]):
        plain = df[name].astype(object).astype("str").str.replace(CURRENCY_SYMBOLS, "", regex=True)
        bare = plain.str.replace(r"\s", "", regex=True)
        df[name] = pd.to_numeric(bare.astype(object), errors="coerce").astype(float)
    return df


def _dates(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    for name in action["action_arguments"]:
        values = df[name]
        if _is_text(values):
            tight = values.astype(object).astype("str").str.replace(r"\s*([/\\.-]+)\s*", _first_sign, regex=True)
            values = tight.str.lower()
        df[name] = pd.to_datetime(values, format="mixed", errors="coerce")
    return df


def _trimmed(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    for name in action["action_arguments"]:
        df[name] = df[name].str.strip()
    return df


def _blanks(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    for name in action["action_arguments"]:
        df[name] = blanks_to_missing(df[name])
    return df


_FORMS: dict[str, Callable[[pd.DataFrame, Action], pd.DataFrame]] = {
    "caps_standardization": _capitals,
    "currency_to_num": _amounts,
    "date_format_conversion": _dates,
    "trim": _trimmed,
}


def _first_sign(match: re.Match[str]) -> str:
    return match[1][0]


def _no_keyword(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def _texts(df: pd.DataFrame, names: list[str]) -> Iterator[str]:
    """Those columns whose first value is a text."""
    for name in names:
        if _is_text(df[name]):
            yield name
        elif df[name].notna().any():
            log.warning("column '%s' has no texts: it stays as it is", name)


def _is_text(series: pd.Series[Any]) -> bool:
    if types.is_numeric_dtype(series.dtype) or types.is_datetime64_any_dtype(series.dtype):
        return False
    known = series.dropna()
    return len(known) > 0 and isinstance(known.iloc[0], str)

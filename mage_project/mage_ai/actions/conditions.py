"""The code of a filter: comparisons such as `fare > 10 and zone contains 'Park'`, joined by and, or, not."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
from pandas.api import types

from mage_project.errors import BlockError, did_you_mean
from mage_project.mage_ai.actions.names import Operator

_WORD = r"""([^\s()"']+|['"][^"']+['"])"""
_COMPARISON = re.compile(rf"{_WORD} ([!=<>]+|contains|not contains) {_WORD}")
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    Operator.EQUALS: operator.eq,
    Operator.NOT_EQUALS: operator.ne,
    Operator.GREATER_THAN: operator.gt,
    Operator.GREATER_THAN_OR_EQUALS: operator.ge,
    Operator.LESS_THAN: operator.lt,
    Operator.LESS_THAN_OR_EQUALS: operator.le,
}


def matching(df: pd.DataFrame, code: str) -> pd.Series[bool]:
    """Which rows meet the condition; all of them where there is none. Raises BlockError for what is no condition."""
    if not code:
        return pd.Series(True, index=df.index)
    results: list[Any] = []

    def place(match: re.Match[str]) -> str:
        results.append(_compared(df, *match.groups()).to_numpy())
        return f"_{len(results) - 1}"

    joined = _COMPARISON.sub(place, re.sub(" (true|false)", lambda match: match[0].title(), code))
    try:
        known = pd.DataFrame({f"_{number}": result for number, result in enumerate(results)})
        found: Any = known.eval(joined, engine="python")
    except (ValueError, SyntaxError, NameError, TypeError, KeyError, AttributeError) as error:
        hint = "write column, operator and value with a space between them: fare > 10 and (zone contains 'Park')"
        raise BlockError(f"`{code}` is no condition that can be read: {error}", hint=hint) from error
    return pd.Series(found.to_numpy(dtype=bool), index=df.index)


def _compared(df: pd.DataFrame, left: str, sign: str, right: str) -> pd.Series[bool]:
    column = _column(df, left)
    if sign in {Operator.CONTAINS, Operator.NOT_CONTAINS}:
        has = _contains(column, right.strip("\"'"))
        return has if sign == Operator.CONTAINS else ~has
    if right == "null" and sign in {Operator.EQUALS, Operator.NOT_EQUALS}:
        return _is_null(column) if sign == Operator.EQUALS else ~_is_null(column)
    if sign not in _COMPARED:
        raise BlockError(f"'{sign}' is no comparison", hint=", ".join(_COMPARED))
    found: pd.Series[Any] = _COMPARED[sign](*_comparable(column, _value(df, right)))
    return found.fillna(sign == Operator.NOT_EQUALS).astype(bool)


def _column(df: pd.DataFrame, text: str) -> pd.Series[Any]:
    name = text.strip("\"'")
    if name not in df.columns:
        known = [str(column) for column in df.columns]
        raise BlockError(
            f"there is no column '{name}'.{did_you_mean(name, known)}", hint=f"columns: {', '.join(known)}"
        )
    return df[name]


def _value(df: pd.DataFrame, text: str) -> Any:
    """Another column, else a number, a text in quotes, True or False."""
    if text.strip("\"'") in df.columns:
        return df[text.strip("\"'")]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        names = [str(column) for column in df.columns]
        what = f"'{text}' is neither a value nor a column.{did_you_mean(text, names)}"
        raise BlockError(what, hint=f"put a text in quotes: '{text}'") from None


def _comparable(column: pd.Series[Any], value: Any) -> tuple[Any, Any]:
    if types.is_datetime64_any_dtype(column.dtype) and isinstance(value, str):
        return column, pd.Timestamp(value)
    return column, value


def _contains(column: pd.Series[Any], part: str) -> pd.Series[bool]:
    if not isinstance(_first(column), str):
        raise BlockError(f"contains is for columns of texts, and '{column.name}' has none")
    return column.str.contains(part).fillna(False).astype(bool)


def _is_null(column: pd.Series[Any]) -> pd.Series[bool]:
    """Missing, or an empty text in a column of texts or truth values."""
    is_missing = column.isna()
    return (
        is_missing | (column == "").fillna(False).astype(bool) if isinstance(_first(column), str | bool) else is_missing
    )


def _first(column: pd.Series[Any]) -> Any:
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return None
    return next((value for value in column.dropna() if not isinstance(value, str) or value), None)

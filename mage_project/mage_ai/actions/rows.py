"""Actions on rows: which of them stay, and in which order."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mage_project.mage_ai.actions.conditions import matching
from mage_project.mage_ai.actions.names import NUMBER_TYPES
from mage_project.mage_ai.actions.values import blanks_to_missing, plain, type_of

Action = dict[str, Any]


def filter_rows(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """The rows that meet the condition in `action_code`."""
    return df[matching(df, action["action_code"])]


def drop_duplicates(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """One of the rows that are equal in the columns, the last one unless the option `keep` says 'first'."""
    keep = action.get("action_options", {}).get("keep", "last")
    return df.drop_duplicates(subset=action.get("action_arguments") or None, keep=keep)


def remove(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """Without the rows whose index labels the option `rows` lists; one that is not there is no error."""
    return df.drop(index=[label for label in action["action_options"]["rows"] if label in df.index])


def sort(df: pd.DataFrame, action: Action) -> pd.DataFrame:
    """By the columns, ascending unless the options `ascending` or `ascendings` (one per column) say otherwise.

    Rows whose first column is a number that is missing come first in ascending order, last in descending order.
    """
    names = action["action_arguments"]
    options = action.get("action_options", {})
    order = list(options.get("ascendings") or [])
    ascending = order[0] if order else options.get("ascending", True)
    numeric = [name for name in names if type_of(action, name) in NUMBER_TYPES]
    keys = df[list(dict.fromkeys(names))].reset_index(drop=True)
    for name in numeric:
        keys[name] = plain(blanks_to_missing(keys[name])).astype(float)
    is_missing = keys[names[0]].isna() if names and names[0] in numeric else pd.Series(False, index=keys.index)
    found = keys[~is_missing].sort_values(by=names, ascending=order or ascending).index
    missing = keys[is_missing].index
    return df.iloc[missing.append(found) if ascending else found.append(missing)]

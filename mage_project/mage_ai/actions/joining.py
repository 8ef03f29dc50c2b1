"""The action that joins another frame."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mage_project.errors import BlockError
from mage_project.mage_ai.actions.values import blanks_to_missing, plain

Action = dict[str, Any]


def join(df: pd.DataFrame, other: pd.DataFrame | None, action: Action) -> pd.DataFrame:
    """The frame with the other's columns, by the options `left_on`, `right_on` and `how` ('left' unless said).

    `outputs` that name a `source_feature` rename the other's columns; keys of different types meet as texts.
    """
    if other is None:
        raise BlockError("a join needs the other frame", hint="BaseAction(action).execute(df, df_to_join=other)")
    options = action["action_options"]
    left_on, right_on = list(options["left_on"]), list(options["right_on"])
    for mine, others in zip(left_on, right_on, strict=True):
        if plain(df[mine]).dtype != plain(other[others]).dtype:
            df[mine] = _texts(df[mine])
            other[others] = _texts(other[others])
    names = {
        output["source_feature"]["uuid"]: output["uuid"]
        for output in action.get("outputs") or []
        if output.get("source_feature") is not None
    }
    merged: pd.DataFrame = df.merge(
        other.rename(columns=names),
        left_on=left_on,
        right_on=[names.get(name, name) for name in right_on],
        how=options.get("how", "left"),
    )
    left: pd.DataFrame = merged.drop(columns=options.get("drop_columns", []))
    return left.rename(columns=options.get("rename_columns", {}))


def _texts(values: pd.Series[Any]) -> pd.Series[Any]:
    return blanks_to_missing(values).dropna().astype(str)

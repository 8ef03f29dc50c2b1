"""The action that runs code of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from mage_project.errors import BlockError

Step = Callable[[pd.DataFrame], pd.DataFrame]


def run_script(df: pd.DataFrame, action: dict[str, Any]) -> pd.DataFrame:
    """Run the code in `action_code`, which finds the frame as `df` and may change it in place.

    Functions that it marks with `@transformer_action` take the frame and return the next one, in their order.
    """
    if not action.get("action_code"):
        raise BlockError("a custom action needs code", hint='action_code=\'df["total"] = df["fare"] + df["tip"]\'')
    steps: list[Step] = []

    def transformer_action(function: Step) -> Step:
        steps.append(function)
        return function

    code = action["action_code"].replace("\t", "    ")
    exec(code, {"df": df, "transformer_action": transformer_action})  # noqa: S102 - that is what the action is for
    for step in steps:
        df = step(df)
    return df

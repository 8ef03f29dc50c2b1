"""Does transformer actions in real Mage ("mage") or in the runner ("ours"): cases and outcomes are JSON files."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

who, cases, outcomes = sys.argv[1:]
if who == "ours":
    from mage_project import mage_ai

    mage_ai.install()

from mage_ai.data_cleaner.transformer_actions.base import BaseAction  # noqa: E402
from mage_ai.data_cleaner.transformer_actions.utils import build_action_variables, build_transformer_action  # noqa: E402


def frame(columns: dict[str, list[Any]], times: list[str]) -> pd.DataFrame:
    df = pd.DataFrame(columns)
    for name in times:
        df[name] = pd.to_datetime(df[name])
    return df


def plain(value: Any) -> Any:
    """The value as JSON has it; a number by its value, whatever its type."""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "FrozenList":
        return [plain(item) for item in value]
    if pd.isna(value):
        return None
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return bool(value)
    if isinstance(value, pd.Timestamp):
        return str(value)
    return round(float(value), 9) if not isinstance(value, str) else value


def told(df: pd.DataFrame) -> dict[str, Any]:
    index = [plain(list(label) if isinstance(label, tuple) else label) for label in df.index]
    return {"columns": {str(name): [plain(value) for value in df[name]] for name in df.columns}, "index": index}


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    df = frame(case["frame"], case.get("times", []))
    try:
        if "action" not in case:
            kinds = {name: variable["feature"]["column_type"] for name, variable in build_action_variables(df).items()}
            return {"types": {name: str(getattr(kind, "value", kind)) for name, kind in kinds.items()}}
        action = case["action"]
        if "action_variables" not in action:
            action = build_transformer_action(df, **action)
        other = {"df_to_join": frame(case["other"], [])} if "other" in case else {}
        return told(BaseAction(action).execute(df, **other)) | {"given": told(df)}
    except Exception as error:  # noqa: BLE001 - whatever either of them raises is its outcome
        return {"error": f"{type(error).__name__}: {error}"}


warnings.simplefilter("ignore")
Path(outcomes).write_text(
    json.dumps({name: outcome(case) for name, case in json.loads(Path(cases).read_text()).items()})
)

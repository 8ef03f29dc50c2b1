"""Calls Mage's helpers in real Mage ("mage") or in the runner ("ours"): calls and answers are JSON files."""

from __future__ import annotations

import datetime
import importlib
import json
import sys
from pathlib import Path
from typing import Any

who, calls, answers = sys.argv[1:]
if who == "ours":
    from mage_project import mage_ai

    mage_ai.install()


def answer(module: str, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    full = module if "." in module else f"shared.{module}"
    function, _, attribute = name.partition(".")
    if name == "week_of_month":
        arguments = [datetime.datetime.fromisoformat(day) for day in arguments]
    try:
        result = getattr(importlib.import_module(f"mage_ai.{full}"), function)(*arguments, **options)
    except Exception as error:  # noqa: BLE001 - that it fails is the answer
        return {"fails": type(error).__name__}
    if attribute == "seconds":
        return result.total_seconds()
    return getattr(result, attribute) if attribute else result


Path(answers).write_text(json.dumps([answer(*call) for call in json.loads(Path(calls).read_text())], default=str))

"""What a block may give to a run that it starts: the arguments of trigger_pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, time
from pathlib import PurePath
from typing import Any

from mage_project.errors import BlockError

#: What becomes its own text on the way to another run.
_AS_TEXT = (date, time, PurePath)


def checked(*, variables: Any, **others: Any) -> dict[str, Any]:
    """The variables as plain data. Of `others`, names are texts and seconds are numbers.

    Raises BlockError for what cannot be handed to a run.
    """
    for name, value in others.items():
        wanted = _wanted(name, value)
        if wanted:
            what = f"{name} of trigger_pipeline must be {wanted}, not {_shown(value)}"
            raise BlockError(what, hint="trigger_pipeline('pipeline', variables={'month': '2020-10'})")
    if variables is not None and not isinstance(variables, Mapping):
        what = f"variables of trigger_pipeline must be a dict, not {_shown(variables)}"
        raise BlockError(what, hint="variables={'month': '2020-10'}: each by its name")
    return {name: _plain(name, value) for name, value in (variables or {}).items()}


def _plain(name: Any, value: Any) -> Any:
    if not isinstance(name, str) or not name.strip():
        raise BlockError(f"a variable of trigger_pipeline is called {name!r}", hint="names of variables are texts")
    try:
        return json.loads(json.dumps(value, default=_other))
    except (TypeError, ValueError, RecursionError) as error:
        what = f"the variable '{name}' of trigger_pipeline cannot be handed to another run: {error}"
        hint = "hand over texts, numbers, lists and dicts; rows go through a table or a file"
        raise BlockError(what, hint=hint) from None


def _other(value: Any) -> Any:
    if isinstance(value, _AS_TEXT):
        return str(value)
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(f"it is, or has in it, a {type(value).__name__}")


def _wanted(name: str, value: Any) -> str | None:
    """What should stand there, if it does not."""
    is_missing = value is None and name in ("poll_timeout", "schedule_name")
    if is_missing:
        return None
    if name in ("pipeline_uuid", "schedule_name"):
        return None if isinstance(value, str) and value.strip() and "\0" not in value else "a name"
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    return None if is_number else "a number of seconds"


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__}: {text if len(text) <= 60 else text[:60] + '…'}"

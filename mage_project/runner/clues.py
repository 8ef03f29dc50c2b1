"""What the commonest mistakes in a block come from: told by the error and by the line that failed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from mage_project.errors import closest, did_you_mean
from mage_project.project import Block
from mage_project.runner import values
from mage_project.runner.traces import Place, innermost, place_in

#: Names that everybody writes without a second thought, with the line that makes them.
_IMPORTS = {
    "ConfigFileLoader": "from mage_ai.io.config import ConfigFileLoader",
    "DataFrame": "from pandas import DataFrame",
    "Path": "from pathlib import Path",
    "bigquery": "from google.cloud import bigquery",
    "create_engine": "from sqlalchemy import create_engine",
    "date": "from datetime import date",
    "datetime": "from datetime import datetime",
    "get_repo_path": "from mage_ai.settings.repo import get_repo_path",
    "np": "import numpy as np",
    "pa": "import pyarrow as pa",
    "path": "from os import path",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "pq": "import pyarrow.parquet as pq",
    "storage": "from google.cloud import storage",
    "timedelta": "from datetime import timedelta",
    **{name: f"import {name}" for name in ("duckdb", "io", "json", "math", "os", "pandas", "re", "requests", "sys",
                                          "time", "urllib")},
}  # fmt: skip
#: Keyword arguments of every block that are no variables.
OURS = frozenset(("block_uuid", "commit_later", "configuration", "context", "dynamic_block_index", "logger",
                   "progress", "retry", "stream", "wrote"))  # fmt: skip
#: How many names are told.
_SHOWN = 30
#: What pandas says of several columns that are not there.
_SEVERAL = re.compile(r"not in index|not found in axis|are in the \[(?:columns|index)\]")


def clue(block: Block, error: BaseException) -> str | None:
    """The next step; None where the error is none of those that are known."""
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        statement = _IMPORTS.get(error.name or "")
        return statement and f"write at the top of the file: {statement}"
    place = place_in(block, error)
    if place is None:
        return None
    if isinstance(error, KeyError):
        return _of_key(error, place)
    if isinstance(error, AttributeError | TypeError):
        return _of_nothing(block, error, place) or _of_attribute(error)
    return None


def _of_key(error: KeyError, place: Place) -> str | None:
    key = error.args[0] if error.args else None
    if not isinstance(key, str):
        return None
    raised = innermost(error)
    if raised is not None and raised.f_locals.get("self") is os.environ:
        return f"{key} is no environment variable here: set it with `export {key}=...` before the run"
    if place.keywords and re.search(rf"(?<![\w.]){place.keywords}\[\s*['\"]{re.escape(key)}['\"]", place.line):
        return _of_variable(key, place.names[place.keywords])
    return _of_columns(re.findall(r"'([^']+)'", key) if _SEVERAL.search(key) else [key], place)


def _of_variable(name: str, given: dict[str, Any]) -> str:
    names = sorted(given.keys() - OURS)
    there = f"there are: {_listed(names)}"
    return f"'{name}' is not a variable of this run ({there}).{did_you_mean(name, names)} Give it: --var {name}=..."


def _of_columns(keys: Sequence[str], place: Place) -> str | None:
    """The columns of the frame on the line that lacks one."""
    for name, frame in _frames(place):
        columns = [str(column) for column in frame.columns]
        absent = next((key for key in keys if key not in columns), None)
        if absent is not None:
            return f"the columns of {name} are: {_listed(columns)}.{did_you_mean(absent, columns)}"
    return None


def _frames(place: Place) -> Iterator[tuple[str, Any]]:
    """The frames that the line names, and those of what it calls a method of."""
    return (
        (name, value) for name, value in list(place.names.items()) if values.is_frame(value) and place.mentions(name)
    )


def _of_nothing(block: Block, error: AttributeError | TypeError, place: Place) -> str | None:
    """An upstream block without an output, whose reader is given an empty list."""
    asked = getattr(error, "obj", None)
    for (name, value), upstream in zip(place.positional, block.upstream, strict=False):
        is_empty = isinstance(value, list) and not value
        if is_empty and (asked is value or (isinstance(error, TypeError) and place.mentions(name.partition("[")[0]))):
            return f"the upstream block '{upstream}' returned nothing, so {name} is []: has it a `return`?"
    return None


def _of_attribute(error: AttributeError | TypeError) -> str | None:
    """A column that is asked for as an attribute."""
    frame, name = getattr(error, "obj", None), getattr(error, "name", None)
    if not name or not values.is_frame(frame):
        return None
    columns = [str(column) for column in frame.columns]
    return f"the columns are: {_listed(columns)}.{did_you_mean(name, columns)}" if closest(name, columns) else None


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "none"

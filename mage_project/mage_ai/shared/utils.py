"""mage_ai.shared.utils: names, files and types."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def clean_name(
    name: str,
    allow_characters: Sequence[str] | None = None,
    allow_number: bool = False,
    case_sensitive: bool = False,
) -> str:
    """`Trip distance` is `trip_distance`, `1st` is `letter_1st`: what Mage makes of names of columns and blocks."""
    bare = re.sub('[\ufeff"$\n\r\t]', "", name)
    allowed = set(allow_characters or ())
    cleaned = "".join(letter if letter in allowed else re.sub(r"\W", "_", letter) for letter in bare)
    if re.match(r"\d", cleaned) and not allow_number:
        cleaned = f"letter_{cleaned}"
    return cleaned if case_sensitive else cleaned.lower()


def files_in_path(path: str | os.PathLike[str], verbose: int = 0) -> list[str]:
    """The paths of all files below the folder."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]  # noqa: PTH118 - texts
    if verbose >= 1:
        print(*found, sep="\n")
    return found


def files_in_single_path(path: str | os.PathLike[str]) -> list[str]:
    """The paths of the files in the folder itself."""
    return [str(Path(path) / entry.name) for entry in Path(path).iterdir() if entry.is_file()]


def get_absolute_path(path: str) -> str:
    """The path with `~` and variables replaced, from the root."""
    return str(Path(os.path.expandvars(path)).expanduser().resolve())


def convert_pandas_dtype_to_python_type(dtype: Any) -> type:
    """int, float, bool, datetime or str."""
    name = str(dtype)
    if name in {"int64", "integer"}:
        return int
    if "float" in name:
        return float
    if name in {"bool", "boolean"}:
        return bool
    return datetime if "datetime" in name else str


def is_port_in_use(port: int, host: str = "localhost") -> bool:
    """Whether somebody answers at the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex((host or "localhost", port)) == 0


def is_spark_env() -> bool:
    """Whether PySpark is installed."""
    return find_spec("pyspark") is not None

"""Tells pandas' frames and columns from everything else, without importing pandas for it."""

from __future__ import annotations

import sys
from typing import Any


def is_frame(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_series(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series)

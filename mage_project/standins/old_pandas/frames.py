"""Tells pandas' frames and columns from everything else, without importing pandas for it.

While a block in another thread imports pandas it is there, and has no classes yet.
"""

from __future__ import annotations

import sys
from typing import Any


def is_frame(value: Any) -> bool:
    frame = getattr(sys.modules.get("pandas"), "DataFrame", None)
    return frame is not None and isinstance(value, frame)


def is_series(value: Any) -> bool:
    series = getattr(sys.modules.get("pandas"), "Series", None)
    return series is not None and isinstance(value, series)

"""JSON texts of nested values, as jsonb columns and JSON files hold them."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def json_text(value: Any) -> str:
    """The JSON of any value: NaN and infinity are null, dates ISO, decimals and what JSON has no type for are text."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(", ", ": "))


def plain(value: Any) -> Any:
    """The value in types that JSON has."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars
        return plain(value.tolist())
    return _text(value)


def _text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return None if value != value else value.isoformat()  # NaT is not equal to itself
    if isinstance(value, bytes):
        return value.hex()
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    return str(value)

"""A block's output, for eyes."""

from __future__ import annotations

import json
from typing import Any

from mage_project.cli.tables import aligned
from mage_project.runner import values

ROWS_SHOWN = 5


def described(value: Any) -> str:
    """Shape, columns with their types, and the first rows of a frame; anything else as it is."""
    if value is None:
        return "no output"
    if not values.is_frame(value):
        return json.dumps(value, indent=2, default=str, ensure_ascii=False)
    types = aligned(
        ("column", "type", "nulls"),
        [
            (str(name), str(dtype), f"{nulls:,}")
            for name, dtype, nulls in zip(value.columns, value.dtypes, value.isna().sum(), strict=True)
        ],
        right=(2,),
    )
    head = value.head(ROWS_SHOWN).to_string(max_cols=12, max_colwidth=24, index=False)
    return f"{len(value):,} rows × {len(value.columns)} columns\n\n{types}\n\n{head}"

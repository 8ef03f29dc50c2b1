"""The values that `relationships` rules allow: a column of a file or of a table, read once."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from mage_project.errors import ConfigError, did_you_mean
from mage_project.quality.rules import Rule
from mage_project.quality.sources import tables


class References:
    """Reads what rules refer to when they first ask. What is held are the different values of one column."""

    def __init__(self, root: Path, profile: str = "default") -> None:
        self._root = root
        self._profile = profile
        self._values: dict[tuple[str, str], pa.Array] = {}

    def __call__(self, rule: Rule) -> pa.Array:
        """Raises ConfigError where the column is not there, StoreError where the file or table is not."""
        key = (rule.to or "", rule.field or "")
        if key not in self._values:
            self._values[key] = self._read(rule, *key)
        return self._values[key]

    def _read(self, rule: Rule, to: str, field: str) -> pa.Array:
        parts: list[pa.Array] = []
        for table in tables(to, self._root, self._profile):
            if field not in table.column_names:
                what = f"check '{rule.name}': {to} has no column '{field}'.{did_you_mean(field, table.column_names)}"
                raise ConfigError(what, hint=f"columns: {', '.join(table.column_names)}")
            parts.append(pc.unique(table.column(field)))
        return pc.unique(pa.chunked_array(parts)) if parts else pa.array([], pa.int64())

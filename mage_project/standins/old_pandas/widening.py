"""Values put into a column that its type cannot hold: `df.loc[0, "fare"] = "unknown"`, `counts[3] = 1.5`.

Up to 2.3 such a column got a wider type, with a warning.
https://pandas.pydata.org/pdeps/0006-ban-upcasting.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mage_project.standins.old_pandas.telling import told
from mage_project.standins.patches import Patches


def patch(pandas: Any, patches: Patches) -> None:
    """Have a column take the value, and the type that holds both."""
    block = pandas.core.internals.blocks.Block
    if hasattr(block, "coerce_to_target_dtype"):
        patches.replace(block, "coerce_to_target_dtype", _widened(block.coerce_to_target_dtype))


def _widened(real: Callable[..., Any]) -> Callable[..., Any]:
    def coerce(self: Any, other: Any, raise_on_upcast: bool = False) -> Any:
        try:
            return real(self, other, raise_on_upcast)
        except TypeError:
            if not raise_on_upcast:
                raise
        told(f"a value of another type in a column of type {self.dtype}", "df[column].astype(...) before it")
        return real(self, other, raise_on_upcast=False)

    return coerce

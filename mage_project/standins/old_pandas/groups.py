"""`groupby(key).apply(function)` where the function reads the key's own column, which its groups had up to 2.3.

https://pandas.pydata.org/docs/whatsnew/v2.2.0.html, "Other Deprecations", on DataFrameGroupBy.apply
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mage_project.standins.old_pandas.telling import told
from mage_project.standins.patches import Patches


def patch(pandas: Any, patches: Patches) -> None:
    """Have groups with their key's column, for functions that miss it only."""
    groups = pandas.core.groupby.DataFrameGroupBy
    if hasattr(groups, "_python_apply_general"):  # no promise of pandas
        patches.replace(groups, "apply", _with_keys(groups.apply))


def _with_keys(real: Callable[..., Any]) -> Callable[..., Any]:
    def apply(self: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return real(self, func, *args, **kwargs)
        except (KeyError, AttributeError) as error:
            missed = _missed(self, error)
            if not missed or not callable(func) or "include_groups" in kwargs:
                raise
        told(f"the column {missed[0]!r} in its own groups", "group.name, or a copy of the column under another name")
        return self._python_apply_general(lambda group: func(group, *args, **kwargs), self._selected_obj)

    apply.__doc__ = real.__doc__
    return apply


def _missed(groups: Any, error: Exception) -> list[Any]:
    """The keys of the groups that the error names."""
    columns = set(groups.obj.columns) - set(groups._obj_with_exclusions.columns)
    return [key for key in columns if repr(key) in str(error)]

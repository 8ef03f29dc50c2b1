"""Text as Python objects: what pandas inferred for it before 3.0, and what it still is inside Mage.

https://pandas.pydata.org/docs/user_guide/migration-3-strings.html says what differs: the dtype's name, missing values,
and that other things than text can be put into such a column.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from mage_project.standins.old_pandas.frames import is_frame, is_series
from mage_project.standins.patches import Patches

_OPTION = "future.infer_string"


def patch(pandas: Any, patches: Patches) -> None:
    """Infer `object` for text; columns that are declared otherwise stay what they are."""
    try:
        before = _quietly(pandas.get_option, _OPTION)
    except pandas.errors.OptionError:  # later versions of pandas have no choice
        return
    _quietly(pandas.set_option, _OPTION, False)
    patches.at_end(lambda: _quietly(pandas.set_option, _OPTION, before))


def as_objects(values: Any) -> Any:
    """A frame or a column with texts of pandas 3's own type as objects, None where one is missing."""
    if is_series(values):
        return values.astype(object).where(values.notna(), None) if values.dtype == "str" else values
    if is_frame(values):
        for place, dtype in enumerate(values.dtypes):
            if dtype == "str":
                values.isetitem(place, as_objects(values.iloc[:, place]))
        if values.columns.dtype == "str":
            values.columns = values.columns.astype(object)
    return values


def _quietly(do: Callable[..., Any], *arguments: Any) -> Any:
    """What `do` returns, without pandas' warning that the choice will go."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return do(*arguments)

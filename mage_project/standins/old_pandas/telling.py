"""Says that a block uses something that pandas dropped."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

_NOT_THEIRS = ("mage_project.standins.", "pandas.")


def told(what: str, instead: str) -> None:
    """Warn, with the file and the line of whoever called: `append is gone from pandas: write pd.concat(...)`."""
    warnings.warn(f"{what} is gone from pandas, done as before ({_place()}): write {instead}", stacklevel=2)


def lost() -> None:
    """Warn of a change to a copy, which older pandas lost as well."""
    instead = "write df.loc[rows, columns] = value, or df[columns] = df[columns].method(...)"
    warnings.warn(f"this changes a copy, so the frame stays as it is ({_place()}): {instead}", stacklevel=2)


def _place() -> str:
    """Where the first caller outside of this package and of pandas is."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_NOT_THEIRS):
        frame = frame.f_back
    return f"line {frame.f_lineno} of {frame.f_code.co_filename.rpartition('/')[2]}" if frame else "line unknown"

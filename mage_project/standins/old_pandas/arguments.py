"""Arguments that pandas' functions no longer take.

https://pandas.pydata.org/docs/whatsnew/v2.0.0.html and v3.0.0.html, "Removal of prior version deprecations".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mage_project.standins.old_pandas.old_dates import OldDates
from mage_project.standins.old_pandas.telling import told
from mage_project.standins.patches import Patches

#: Arguments of read_csv that changed nothing in the result, or do not any more.
_IDLE = {
    "infer_datetime_format": "nothing: the format is inferred anyway",
    "mangle_dupe_cols": "nothing: columns of the same name are told apart anyway",
    "verbose": "nothing",
}


def patch(pandas: Any, patches: Patches) -> None:
    """Have the functions that read take their old arguments."""
    for name in ("read_csv", "read_table"):
        patches.replace(pandas, name, _reading(pandas, getattr(pandas, name), name))
    for name in ("to_datetime", "to_numeric"):
        patches.replace(pandas, name, _converting(getattr(pandas, name), name))


def _reading(pandas: Any, real: Callable[..., Any], name: str) -> Callable[..., Any]:
    def read(*args: Any, **kwargs: Any) -> Any:
        if len(args) > 1:
            told(f"{name}'s separator without a name", "sep=...")
            args, kwargs = args[:1], {"sep": args[1], **kwargs}
        squeeze = _modernized(kwargs, name)
        dates = OldDates.taken_from(kwargs)
        if dates is not None:
            told(f"{name}'s {dates.argument}", dates.instead)
        frame = real(*args, **kwargs)
        if dates is not None:
            frame = dates.applied(pandas, frame)
        return frame.squeeze("columns") if squeeze else frame

    read.__doc__ = real.__doc__
    return read


def _modernized(kwargs: dict[str, Any], name: str) -> bool:
    """Put today's arguments in the place of old ones. Whether one column is wanted as a Series."""
    for old, instead in _IDLE.items():
        if old in kwargs:
            told(f"{name}'s {old}", instead)
            del kwargs[old]
    if "delim_whitespace" in kwargs:
        told(f"{name}'s delim_whitespace", r"sep=r'\s+'")
        if kwargs.pop("delim_whitespace"):
            kwargs["sep"] = r"\s+"
    if "error_bad_lines" in kwargs or "warn_bad_lines" in kwargs:
        told(f"{name}'s error_bad_lines", "on_bad_lines='skip'")
        fails, warns = kwargs.pop("error_bad_lines", None), kwargs.pop("warn_bad_lines", None)
        if fails is False:
            kwargs["on_bad_lines"] = "skip" if warns is False else "warn"
    if "squeeze" not in kwargs:
        return False
    told(f"{name}'s squeeze", ".squeeze('columns') after it")
    return bool(kwargs.pop("squeeze"))


def _converting(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    def convert(arg: Any, *args: Any, **kwargs: Any) -> Any:
        if "infer_datetime_format" in kwargs:
            told(f"{name}'s infer_datetime_format", _IDLE["infer_datetime_format"])
            del kwargs["infer_datetime_format"]
        if kwargs.get("errors") != "ignore":
            return real(arg, *args, **kwargs)
        told(f"{name}'s errors='ignore'", "try: ... except ValueError: ...")
        try:
            return real(arg, *args, **{**kwargs, "errors": "raise"})
        except (ValueError, TypeError):
            return arg

    convert.__doc__ = real.__doc__
    return convert

"""Functions, methods and properties that pandas dropped in 2.0 and 3.0.

https://pandas.pydata.org/docs/whatsnew/v2.0.0.html and v3.0.0.html, "Removal of prior version deprecations".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mage_project.standins.old_pandas.telling import told
from mage_project.standins.patches import Patches


def patch(pandas: Any, patches: Patches) -> None:
    """Give pandas' classes and module back what they lack."""
    frame, series = pandas.DataFrame, pandas.Series
    patches.add(frame, "append", _append(pandas, "DataFrame"))
    patches.add(series, "append", _append(pandas, "Series"))
    patches.add(frame, "applymap", _renamed("DataFrame.applymap", "map"))
    patches.add(frame, "swapaxes", _swapaxes)
    patches.add(frame, "to_gbq", _to_gbq)
    patches.add(series, "ravel", _ravel)
    for kind, name in ((frame, "DataFrame"), (series, "Series")):
        for old, new in (("iteritems", "items"), ("pad", "ffill"), ("backfill", "bfill")):
            patches.add(kind, old, _renamed(f"{name}.{old}", new))
        patches.add(kind, "mad", _mad)
    for kind in (series, pandas.Index):
        patches.add(kind, "is_monotonic", _property("is_monotonic", "is_monotonic_increasing", _increasing))
    accessors = pandas.core.indexes.accessors
    for kind in (accessors.DatetimeProperties, accessors.ArrowTemporalProperties, pandas.DatetimeIndex):
        for old in ("week", "weekofyear"):
            patches.add(kind, old, _property(f"dt.{old}", "dt.isocalendar().week", _week))
    _functions(pandas, patches)


def _functions(pandas: Any, patches: Patches) -> None:
    def value_counts(values: Any, *args: Any, **kwargs: Any) -> Any:
        told("pd.value_counts", "pd.Series(values).value_counts()")
        return pandas.Series(values).value_counts(*args, **kwargs)

    patches.add(pandas, "value_counts", value_counts)
    for name in ("Int64Index", "UInt64Index", "Float64Index"):
        patches.add(pandas, name, pandas.Index)


def _append(pandas: Any, kind: str) -> Callable[..., Any]:
    def append(self: Any, other: Any, ignore_index: bool = False, verify_integrity: bool = False, **kwargs: Any) -> Any:
        told(f"{kind}.append", "pd.concat([one, other])")
        others = list(other) if isinstance(other, list | tuple) else [other]
        if kind == "DataFrame":
            others = [_rows(pandas, each) for each in others]
        kwargs.pop("to_append", None)
        return pandas.concat([self, *others], ignore_index=ignore_index, verify_integrity=verify_integrity, **kwargs)

    return append


def _rows(pandas: Any, other: Any) -> Any:
    """A frame of what may be appended to one: a frame, or a row as a Series or a dict."""
    if isinstance(other, pandas.Series):
        return other.to_frame().T.infer_objects()
    return pandas.DataFrame([other]) if isinstance(other, dict) else other


def _renamed(old: str, new: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        told(old, f".{new}(...)")
        return getattr(self, new)(*args, **kwargs)

    return method


def _property(old: str, new: str, value: Callable[[Any], Any]) -> property:
    def get(self: Any) -> Any:
        told(old, new)
        return value(self)

    return property(get)


def _increasing(values: Any) -> Any:
    return values.is_monotonic_increasing


def _week(values: Any) -> Any:
    weeks = values.isocalendar().week
    return weeks if weeks.isna().any() else weeks.astype("int64")


def _mad(self: Any, axis: Any = 0, skipna: bool = True, **_kwargs: Any) -> Any:
    told("mad", "(x - x.mean()).abs().mean()")
    if self.ndim == 1:
        return (self - self.mean(skipna=skipna)).abs().mean(skipna=skipna)
    numbers = self.select_dtypes("number")
    return numbers.sub(numbers.mean(axis=axis, skipna=skipna), axis=1 - axis).abs().mean(axis=axis, skipna=skipna)


def _swapaxes(self: Any, axis1: Any, axis2: Any, **_kwargs: Any) -> Any:
    told("DataFrame.swapaxes", ".transpose()")
    return self.copy() if self._get_axis_number(axis1) == self._get_axis_number(axis2) else self.transpose()


def _ravel(self: Any, order: str = "C") -> Any:
    told("Series.ravel", ".to_numpy()")
    return self.to_numpy().ravel(order=order)


def _to_gbq(self: Any, *args: Any, **kwargs: Any) -> Any:
    import pandas_gbq  # type: ignore[import-not-found,unused-ignore]

    told("DataFrame.to_gbq", "pandas_gbq.to_gbq(frame, ...)")
    return pandas_gbq.to_gbq(self, *args, **kwargs)

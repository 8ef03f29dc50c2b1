"""Times in nanoseconds where pandas infers them: the one unit that it had before 3.0, and has inside Mage.

`df.t.astype("int64") // 10**9` is then the seconds that it was. A unit that is named, Arrow's types and what a file
declares (Parquet's microseconds) stay what they are, and so do times that nanoseconds cannot hold, before 1678 or
after 2261.
https://pandas.pydata.org/docs/whatsnew/v3.0.0.html, "Datetime/timedelta resolution inference"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mage_project.standins.patches import Patches

Function = Callable[..., Any]


def patch(pandas: Any, patches: Patches) -> None:
    """Have pandas' inference give nanoseconds: in constructors, readers, conversions and ranges."""
    arrays, tools, parsers = pandas.core.arrays, pandas.core.tools, pandas.io.parsers
    for owner, name, wrapped in (
        (pandas._libs.lib, "maybe_convert_objects", _always),
        (arrays.PeriodArray, "to_timestamp", _always),
        (parsers.base_parser, "date_converter", _always),
        (parsers.c_parser_wrapper, "date_converter", _always),
        (tools.datetimes, "_assemble_from_unit_mappings", _always),
        (tools.datetimes, "_convert_listlike_datetimes", _unless_given),
        (tools.timedeltas, "_convert_listlike", _unless_given),
        (arrays.datetimes, "_sequence_to_dt64", _parsed),
        (pandas, "date_range", _unless_named),
        (pandas, "bdate_range", _unless_named),
        (pandas, "timedelta_range", _unless_named),
    ):
        if hasattr(owner, name):  # most are no promise of pandas, and may go
            patches.replace(owner, name, wrapped(pandas, getattr(owner, name)))


def in_nanoseconds(pandas: Any, values: Any) -> Any:
    """Times and durations in nanoseconds if they fit; anything else as it is."""
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    try:
        if kind not in ("M", "m"):
            return values
        if isinstance(values, pandas.Series):
            return values.dt.as_unit("ns")
        if hasattr(values, "as_unit"):
            return values.as_unit("ns")
        return pandas.array(values).as_unit("ns").to_numpy()
    except (pandas.errors.OutOfBoundsDatetime, pandas.errors.OutOfBoundsTimedelta):
        return values


def _always(pandas: Any, real: Function) -> Function:
    def infer(*args: Any, **kwargs: Any) -> Any:
        return in_nanoseconds(pandas, real(*args, **kwargs))

    infer.__doc__ = real.__doc__
    return infer


def _unless_given(pandas: Any, real: Function) -> Function:
    """A conversion that leaves what are times already in their unit."""

    def convert(values: Any, *args: Any, **kwargs: Any) -> Any:
        converted = real(values, *args, **kwargs)
        is_time = getattr(getattr(values, "dtype", None), "kind", "") in ("M", "m")
        return converted if is_time else in_nanoseconds(pandas, converted)

    return convert


def _parsed(pandas: Any, real: Function) -> Function:
    """What makes times of texts and objects, unless in a unit that is named, and gives them with their zone."""

    def parse(data: Any, *args: Any, **kwargs: Any) -> Any:
        times, zone = real(data, *args, **kwargs)
        is_time = getattr(getattr(data, "dtype", None), "kind", "") in ("M", "m")
        return (times if is_time or kwargs.get("out_unit") else in_nanoseconds(pandas, times)), zone

    return parse


def _unless_named(pandas: Any, real: Function) -> Function:
    def values(*args: Any, **kwargs: Any) -> Any:
        made = real(*args, **kwargs)
        return made if kwargs.get("unit") else in_nanoseconds(pandas, made)

    values.__doc__ = real.__doc__
    return values

"""Frequencies by their old letters: `resample('M')`, `dt.floor('H')`.

https://pandas.pydata.org/docs/whatsnew/v2.2.0.html, "Deprecate aliases M, Q, Y, etc. in favour of ME, QE, YE, etc."
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mage_project.standins.old_pandas.telling import told
from mage_project.standins.patches import Patches

_TODAYS = {
    **{"M": "ME", "Q": "QE", "Y": "YE", "A": "YE", "AS": "YS"},
    **{"BM": "BME", "BQ": "BQE", "BA": "BYE", "BY": "BYE", "BAS": "BYS", "SM": "SME", "CBM": "CBME"},
    **{"H": "h", "BH": "bh", "CBH": "cbh", "T": "min", "S": "s", "L": "ms", "U": "us", "N": "ns"},
}
_PART = re.compile(r"(-?[\d.]*)\s*([A-Za-z]+)(-[A-Z]{3})?")


def patch(pandas: Any, patches: Patches) -> None:
    """Have what takes a frequency take the old letters where it refuses them."""
    from pandas.core import resample
    from pandas.core.arrays import datetimelike

    patches.replace(resample.TimeGrouper, "__init__", _retried(resample.TimeGrouper.__init__, 2, "freq"))
    # pandas-stubs does not know this method, which rounds, floors and ceils.
    rounding: Any = datetimelike.TimelikeOps
    patches.replace(rounding, "_round", _retried(rounding._round, 1, "freq"))
    patches.replace(pandas, "date_range", _retried(pandas.date_range, 3, "freq"))


def today(frequency: Any) -> Any:
    """The frequency in today's letters: `2H` is `2h`."""
    if not isinstance(frequency, str):
        return frequency
    return _PART.sub(lambda part: f"{part[1]}{_TODAYS.get(part[2], part[2])}{part[3] or ''}", frequency)


def _retried(real: Callable[..., Any], position: int, name: str) -> Callable[..., Any]:
    """The function, called again with today's letters where it does not understand the ones it is given."""

    def retried(*args: Any, **kwargs: Any) -> Any:
        try:
            return real(*args, **kwargs)
        except ValueError:
            given = kwargs.get(name, args[position] if len(args) > position else None)
            meant = today(given)
            if meant == given:
                raise
        told(f"the frequency {given!r}", repr(meant))
        if name in kwargs:
            return real(*args, **{**kwargs, name: meant})
        return real(*args[:position], meant, *args[position + 1 :], **kwargs)

    retried.__doc__ = real.__doc__
    return retried

"""Flag the trips whose distance, duration, speed or amount cannot be, and keep them all."""

import numpy as np
import pandas as pd
import pyarrow as pa

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

FLAG = pd.ArrowDtype(pa.bool_())


@transformer
def flag_implausible_trips(trips, *args, **kwargs):
    """
    Variables of the pipeline, all numbers:
        max_miles (100), max_hours (12), max_mph (80), max_dollars (1000)

    Adds a column implausible_<what> for each of distance, duration, speed and amount that the service publishes: true
    for a value below zero or above the maximum, and for a trip that took no time; false where the value is missing.
    attrs["changed"] says how many trips got each flag, and their dollars.
    """
    flagged = trips.copy(deep=False)
    for what, (figure, least, most) in figures(trips, kwargs).items():
        implausible = (figure < least) | (figure > most)
        flagged[f"implausible_{what}"] = pd.array(implausible, dtype=FLAG)
    flags = [name for name in flagged.columns if name.startswith("implausible_")]
    flagged.attrs["changed"] = {name: counted(flagged, flagged[name]) for name in flags if flagged[name].any()}
    return flagged


def figures(trips, limits):
    """For each figure its value in every trip (NaN: not known), the least that can be, and the most."""
    pickup, dropoff = column(trips, "pickupdatetime"), column(trips, "dropoffdatetime")
    if dropoff is None:  # FHV's CSVs of 2015 and 2016
        dropoff = np.full(len(trips), np.datetime64("NaT", "us"))
    hours = (dropoff - pickup) / np.timedelta64(1, "h")
    found = {"duration": (hours, 1 / 3600, limits.get("max_hours", 12))}
    miles, dollars = column(trips, "tripdistance", "tripmiles"), column(trips, "totalamount", "basepassengerfare")
    if miles is not None:
        speed = np.divide(miles, hours, out=np.full(len(trips), np.nan), where=hours > 0)
        found["distance"] = (miles, 0, limits.get("max_miles", 100))
        found["speed"] = (speed, 0, limits.get("max_mph", 80))
    if dollars is not None:
        found["amount"] = (dollars, 0, limits.get("max_dollars", 1000))
    return found


def column(trips, *names):
    """The values of the first such column, whether spelt as TLC does or in snake case; None if there is none."""
    for name in trips.columns:
        if name.lower().replace("_", "").endswith(names):
            values = trips[name]
            if pd.api.types.is_numeric_dtype(values):
                return values.to_numpy("float64", na_value=np.nan)
            return values.to_numpy("datetime64[us]", na_value=np.datetime64("NaT", "us"))
    return None


def counted(trips, flag):
    """How many trips have the flag, and their dollars (none where a service publishes no total_amount)."""
    found = {"rows": int(flag.sum())}
    if "total_amount" in trips.columns:
        dollars = trips.loc[flag, "total_amount"].to_numpy("float64", na_value=np.nan)
        found["total_amount"] = round(float(dollars[np.isfinite(dollars)].sum()), 2)
    return found


@test
def test_there_are_flags(trips, *args):
    flags = [name for name in trips.columns if name.startswith("implausible_")]
    assert flags, "no column was flagged"
    assert not trips[flags].isna().any(axis=None), f"a flag is missing in {flags}"

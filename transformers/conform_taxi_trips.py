"""Name the columns in snake case, and say of every trip which month's file it is of and whether it began in it."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

#: TLC's names, in lower case, in which no underscore parts the words.
WORDS = {
    "vendorid": "vendor_id",
    "ratecodeid": "ratecode_id",
    "pulocationid": "pu_location_id",
    "dolocationid": "do_location_id",
}
TIME, DATE, FLAG = (pd.ArrowDtype(kind) for kind in (pa.timestamp("us"), pa.date32(), pa.bool_()))


@transformer
def conform_taxi_trips(trips, *args, **kwargs):
    """
    Takes the trips as they were published: all of them or, in a stream, one batch after another.
    Returns every one of them, with two more columns:
        source_month: the first day of the file's month, by which stores keep, replace and find the month
        outside_month: whether the trip began in another month, as some do in every file
    """
    files = trips.attrs["files"]
    months = np.repeat(np.array([file["month"] for file in files], "datetime64[M]"), [file["rows"] for file in files])
    assert len(months) == len(trips), "rows were taken away after the loader: let this block come right behind it"

    check_names([*trips.columns, "source_month", "outside_month"], files[0])
    conformed = trips.rename(columns=snake_case)
    pickup = conformed[next(name for name in conformed.columns if name.endswith("pickup_datetime"))]
    begin, end = (
        pd.Series(day.astype("datetime64[us]"), trips.index).astype(TIME)
        for day in (months, months + np.timedelta64(1, "M"))
    )
    inside = ((pickup >= begin) & (pickup < end)).fillna(False)
    conformed = conformed.assign(source_month=begin.astype(DATE), outside_month=(~inside).astype(FLAG))
    added = [{"added": [snake_case(name) for name in file.get("added", [])]} for file in files]
    conformed.attrs = {**trips.attrs, "files": [{**file, **names} for file, names in zip(files, added, strict=True)]}
    return conformed


def check_names(names, file):
    """Raise where two columns of the file, or one and one that is added here, would have the same name."""
    named = {}
    for name in names:
        conformed = snake_case(name)
        if conformed in named:
            raise ValueError(
                f"{file['name']}: columns {named[conformed]!r} and {name!r} would both be {conformed!r}. Rename one in "
                "a copy of the file, or leave out what is not declared (contract: {unknown: discard})"
            )
        named[conformed] = name


def snake_case(name):
    """VendorID is vendor_id, dropOff_datetime is dropoff_datetime, `a name` is a_name."""
    lower = re.sub(r"\W+", "_", str(name).strip()).lower()
    return WORDS.get(lower, lower)


@test
def test_every_trip_has_its_month(trips, *args):
    assert trips["source_month"].notna().all(), "there are trips without a source_month"


@test
def test_trips_of_other_months_are_flagged(trips, *args, stream=False):
    """Says how many they are. None is dropped: whoever wants one month's trips asks for NOT outside_month."""
    outside = rows = 0
    for batch in trips if stream else [trips]:
        outside, rows = outside + int(batch["outside_month"].sum()), rows + len(batch)
    return f"{outside:,} of {rows:,} trips began outside of their file's month"

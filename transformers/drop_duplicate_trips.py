"""Drop the trips that are there more than once: of rows with the same value in every column the first stays."""

import numpy as np

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test


@transformer
def drop_duplicate_trips(trips, *args, **kwargs):
    """
    Takes all trips at once: the twin of a row may be in any batch, and a hash of what went by would only make it likely
    that they are twins. Two nulls are the same. attrs["dropped"] says how many trips went, and their dollars.
    """
    if kwargs.get("stream"):
        raise ValueError("drop_duplicate_trips has to see all trips at once: take `stream: true` off this block")
    again = trips.duplicated()
    kept = trips[~again].reset_index(drop=True)
    if again.any():
        kept.attrs["dropped"] = {"exact duplicate": counted(trips, again)}
    return kept


def counted(trips, gone):
    """How many trips go, and how many dollars with them (no dollars where a service publishes no total_amount)."""
    figures = {"rows": int(gone.sum())}
    if "total_amount" in trips.columns:
        dollars = trips.loc[gone, "total_amount"].to_numpy("float64", na_value=np.nan)
        figures["total_amount"] = round(float(dollars[np.isfinite(dollars)].sum()), 2)
    return figures


@test
def test_no_trip_is_there_twice(trips, *args):
    assert not trips.duplicated().any(), "there are trips with the same value in every column"

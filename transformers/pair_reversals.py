"""Take out fares together with their reversals: the same trip again, with the negative of its amount."""

import pandas as pd

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

#: What is the same in both rows, besides the size of total_amount, as far as the month has it.
TRIP = ["vendorid", "pickupdatetime", "dropoffdatetime", "pulocationid", "dolocationid", "tripdistance"]


@transformer
def pair_reversals(trips, *args, **kwargs):
    """
    Takes all trips at once: a reversal may be in another batch than its fare.

    Both rows of a pair go, one fare for each reversal, so that the sum of total_amount stays as it was to the cent. A
    reversal without a fare stays, and so do all trips of a service that publishes no total_amount. attrs["dropped"]
    says how many rows and pairs went.
    """
    if kwargs.get("stream"):
        raise ValueError("pair_reversals has to see all trips at once: take `stream: true` off this block")
    paired = in_pairs(trips)
    kept = trips[~paired].reset_index(drop=True)
    if paired.any():
        rows = int(paired.sum())
        kept.attrs["dropped"] = {"fare and its reversal": {"rows": rows, "total_amount": 0.0, "pairs": rows // 2}}
    return kept


def in_pairs(trips):
    """For each trip whether it is a fare with a reversal, or a reversal with a fare."""
    if "total_amount" not in trips.columns:
        return pd.Series(False, trips.index)
    amount = trips["total_amount"].astype("float64[pyarrow]").fillna(0)
    candidates = amount[amount.abs().isin(amount[amount < 0].abs())]
    keys = trips.loc[candidates.index, columns(trips)].assign(size=candidates.abs())
    reversal = (candidates < 0).astype(int)

    same_trip = [keys[name] for name in keys]
    place = reversal.groupby([*same_trip, reversal], dropna=False).cumcount()
    group = reversal.groupby(same_trip, dropna=False)
    reversals = group.transform("sum")
    fares = group.transform("size") - reversals
    return (place < reversals.where(reversals < fares, fares)).reindex(trips.index, fill_value=False)


def columns(trips):
    """Those of TRIP, whether spelt as TLC does or in snake case, with or without tpep_ or lpep_."""
    return [name for name in trips.columns if name.lower().replace("_", "").endswith(tuple(TRIP))]


@test
def test_no_fare_has_its_reversal_beside_it(trips, *args):
    assert not in_pairs(trips).any(), "there are fares with a reversal"
    if "total_amount" not in trips.columns:
        return "there is no total_amount: nothing to pair"
    return f"{(trips['total_amount'] < 0).sum():,} negative amounts without a fare stay"

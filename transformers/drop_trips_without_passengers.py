"""Keep the trips with passengers, with all their columns as they were published."""

import sys

import numpy as np
from mage_ai.settings.repo import get_repo_path

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test


@transformer
def drop_trips_without_passengers(trips, *args, **kwargs):
    """Returns the trips with passenger_count > 0; attrs["dropped"] says why the others went, and their dollars."""
    unknown = trips["passenger_count"].isna()
    has_passengers = (trips["passenger_count"] > 0).fillna(False)
    kept = trips[has_passengers].reset_index(drop=True)
    reasons = {"passenger_count null": unknown, "passenger_count 0 or less": ~has_passengers & ~unknown}
    kept.attrs["dropped"] = {reason: counted(trips, gone) for reason, gone in reasons.items() if gone.any()}
    return kept


def counted(trips, gone):
    """How many trips go, and how many dollars with them (no dollars where a service publishes no total_amount)."""
    figures = {"rows": int(gone.sum())}
    if "total_amount" in trips.columns:
        dollars = trips.loc[gone, "total_amount"].to_numpy("float64", na_value=np.nan)
        figures["total_amount"] = round(float(dollars[np.isfinite(dollars)].sum()), 2)
    return figures


@test
def test_passenger_count_is_greater_than_0(trips, *args):
    assert (trips["passenger_count"] > 0).all(), "there are trips without passengers"


@test
def test_known_answers(trips, *args, stream=False):
    """For months whose answers are known: not one row more or less is kept."""
    sys.path.append(get_repo_path())
    try:
        from taxi.checks import passengers_as_known
    except ModuleNotFoundError:
        return "not compared: the folder taxi/ with the known answers is not in this project"
    return passengers_as_known(trips if stream else [trips])

"""Keep the trips with passengers, with all their columns as they were published."""

import sys

from mage_ai.settings.repo import get_repo_path

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test


@transformer
def drop_trips_without_passengers(trips, *args, **kwargs):
    """Returns the trips with passenger_count > 0, and says in attrs["dropped"] why the others went."""
    unknown = trips["passenger_count"].isna()
    has_passengers = (trips["passenger_count"] > 0).fillna(False)
    kept = trips[has_passengers].reset_index(drop=True)
    kept.attrs["dropped"] = {
        "passenger_count null": int(unknown.sum()),
        "passenger_count 0 or less": int((~has_passengers & ~unknown).sum()),
    }
    return kept


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

"""Add the zone and the borough of pickup and drop-off, found by the zone's number."""

if "transformer" not in globals():
    from mage_ai.data_preparation.decorators import transformer
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

ENDS = {"pickup": "pulocationid", "dropoff": "dolocationid"}


@transformer
def add_zone_names(trips, zones, *args, **kwargs):
    """
    Takes trips (all, or a batch of a stream) and, as the second upstream block, the zones of load_taxi_zones.

    Returns every trip, with pickup_zone, pickup_borough, dropoff_zone and dropoff_borough. Zones 264 and 265, which are
    unknown or outside of New York, have rows in the lookup. Names are null for a number that is missing, or is no zone,
    and in months that have coordinates instead. Joined by number: some zones share their name (Corona).
    """
    lookup = zones.set_index(column(zones, "locationid"))
    named = trips.copy(deep=False)
    for end, name in ENDS.items():
        numbers = column(trips, name)
        found = lookup.reindex(trips[numbers] if numbers else [None] * len(trips))
        for what in ("zone", "borough"):
            named[f"{end}_{what}"] = found[column(zones, what)].array
    return named


def column(frame, name):
    """The column of that name, whether spelt as TLC does or in snake case; None if there is none."""
    return next((found for found in frame.columns if found.lower().replace("_", "") == name), None)


@test
def test_every_number_is_a_zone(trips, *args):
    for end, name in ENDS.items():
        if numbers := column(trips, name):
            odd = trips[numbers].notna() & trips[f"{end}_zone"].isna()
            assert not odd.any(), f"no zones: {sorted(set(trips.loc[odd, numbers]))}"

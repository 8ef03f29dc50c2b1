"""TLC's taxi zones: what the numbers in the trips' PULocationID and DOLocationID mean."""

from os import path

import pandas as pd
import pyarrow as pa
from mage_ai.settings.repo import get_repo_path

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

RELEASES = "https://github.com/DataTalksClub/nyc-tlc-data/releases/download"
ID, TEXT = pd.ArrowDtype(pa.int32()), pd.ArrowDtype(pa.string())
TYPES = {"LocationID": ID, "Borough": TEXT, "Zone": TEXT, "service_zone": TEXT}
UNKNOWN = [264, 265]


@data_loader
def load_taxi_zones(*args, **kwargs):
    """
    Variables of the pipeline:
        source: where misc/taxi_zone_lookup.csv is: an address or a folder

    Returns one row for each zone. "NA" and "N/A" are words in this file, not missing values.
    """
    source = kwargs.get("source", RELEASES)
    folder = source if "://" in source else path.join(get_repo_path(), source)
    return pd.read_csv(f"{folder.rstrip('/')}/misc/taxi_zone_lookup.csv", dtype=TYPES, keep_default_na=False)


@test
def test_there_are_265_zones(zones, *args):
    ids = sorted(zones["LocationID"])
    assert ids == list(range(1, 266)), f"{len(ids)} zones, and not those from 1 to 265"
    return f"zones 1 to 265 in {zones['Borough'].nunique()} boroughs"


@test
def test_the_unknown_zones_are_there(zones, *args):
    unknown = zones[zones["LocationID"].isin(UNKNOWN)]
    assert set(unknown["Borough"]) <= {"Unknown", "N/A"}, f"zones {UNKNOWN} are in {list(unknown['Borough'])}"

"""Trips that are already in the lake: one object of a bucket, or several, one after another."""

from os import path

import pandas as pd
from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.google_cloud_storage import GoogleCloudStorage
from mage_ai.settings.repo import get_repo_path

if "data_loader" not in globals():
    from mage_ai.data_preparation.decorators import data_loader
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test


@data_loader
def load_trips_from_gcs(*args, **kwargs):
    """
    Variables of the pipeline:
        bucket: the bucket
        objects: the names of the objects in it, a list; their names say what they are (.parquet, .csv, .json)

    Returns all trips as one frame. The account is that of the profile `default` of io_config.yaml.
    """
    bucket = kwargs.get("bucket", "nyc-taxi-lake")
    objects = kwargs.get("objects", ["nyc_taxi_data.parquet"])
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    store = GoogleCloudStorage.with_config(config)
    return pd.concat([store.load(bucket, name) for name in objects], ignore_index=True)


@test
def test_there_are_trips(trips, *args):
    assert len(trips) > 0, "no trips: Mage gives an empty frame for an object that is not there"

"""Write the trips to one object in a bucket, in place of an older one: Parquet, CSV or JSON, as its name ends."""

from os import path

import pandas as pd
from mage_ai.io.config import ConfigFileLoader
from mage_ai.io.google_cloud_storage import GoogleCloudStorage
from mage_ai.settings.repo import get_repo_path

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter


@data_exporter
def trips_to_gcs_object(trips, *args, **kwargs):
    """
    Variables of the pipeline:
        bucket: the bucket; it has to exist
        object_key: the object's name in it; %Y, %m and %d are the date of the run, {service} is the variable service

    The account is that of the profile `default` of io_config.yaml.
    """
    date = pd.Timestamp(kwargs.get("execution_date", "now"))
    key = kwargs.get("object_key", "{service}/%Y/%m/%d/daily-trips.parquet")
    key = date.strftime(key).format(service=kwargs.get("service", "green"))
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    GoogleCloudStorage.with_config(config).export(trips, kwargs.get("bucket", "nyc-taxi-lake"), key)

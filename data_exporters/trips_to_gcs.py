"""Write the trips to a table of Parquet files in a bucket, one folder for each pickup date, in place of the old."""

import sys
from contextlib import closing
from os import path
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from mage_ai.io.config import ConfigFileLoader
from mage_ai.settings.repo import get_repo_path

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter

sys.path.append(get_repo_path())  # taxi/ is in the project's folder, and Mage looks only in the one above it

from taxi.google_clients import storage_client
from taxi.lake import Lake
from taxi.partitions import write_partitions


@data_exporter
def trips_to_gcs(trips, *args, **kwargs):
    """
    Variables of the pipeline:
        bucket: the bucket; it has to exist
        lake_table: the folder in it, which holds this table and nothing else
        partition: the column with the dates, or how its name ends; where there is none, it is made of the times

    A day is in gs://<bucket>/<lake_table>/<partition>=YYYY-MM-DD/. The files are written to this machine first and
    take their places in the bucket only when all trips are there: taxi/lake.py says what is guaranteed.
    The account is that of the profile `default` of io_config.yaml: its key, its key file, or what Google finds here.
    """
    frames = [trips] if isinstance(trips, pd.DataFrame) else trips
    bucket, table = kwargs.get("bucket", "nyc-taxi-lake"), kwargs.get("lake_table", "green_taxi")
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    with closing(storage_client(config)) as client, TemporaryDirectory() as folder:
        lake = Lake(client, bucket, table)
        lake.recover()
        write_partitions(frames, Path(folder), kwargs.get("partition", "pickup_date"))
        lake.replace(Path(folder))

    if "wrote" in kwargs:  # not in Mage: for the receipt of the run
        kwargs["wrote"](f"gs://{bucket}/{table}")

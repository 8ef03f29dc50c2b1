"""Load each month of the trips into a table of Parquet files in a bucket exactly once: a folder for each month."""

import sys
from contextlib import closing
from os import path
from pathlib import Path
from tempfile import TemporaryDirectory

from mage_ai.io.config import ConfigFileLoader
from mage_ai.settings.repo import get_repo_path

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter

sys.path.append(get_repo_path())  # taxi/ is in the project's folder, and Mage looks only in the one above it

from taxi.google_clients import storage_client
from taxi.month_lake import MonthLake
from taxi.month_loads import at_once, load_months


@data_exporter
def month_to_gcs(trips, *args, **kwargs):
    """
    Variables of the pipeline:
        bucket: the bucket; it has to exist
        lake_table: the folder in it that is the table; {service} in its name is the trips' service
        reload: true to write a month anew although it is loaded, unchanged

    A month is in gs://<bucket>/<lake_table>/source_month=YYYY-MM-01/: taxi/month_lake.py says what is guaranteed.
    The account is that of the profile `default` of io_config.yaml: its key, its key file, or what Google finds here.
    """
    bucket, name = kwargs.get("bucket", "nyc-taxi-lake"), kwargs.get("lake_table", "taxi/{service}")
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    with closing(storage_client(config)) as client, TemporaryDirectory() as folder:

        def table_of(service):
            later = kwargs.get("commit_later", at_once)
            return MonthLake(client, bucket, name.format(service=service), folder=Path(folder), commit_later=later)

        for line in load_months(trips, table_of, reload=kwargs.get("reload", False)):
            print(line)

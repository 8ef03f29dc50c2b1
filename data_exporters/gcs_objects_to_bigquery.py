"""Load objects of the lake into a table in BigQuery by a load job of Google's: no row passes through this machine."""

import sys
from contextlib import closing
from os import path

from mage_ai.io.config import ConfigFileLoader
from mage_ai.settings.repo import get_repo_path

if "data_exporter" not in globals():
    from mage_ai.data_preparation.decorators import data_exporter
if "test" not in globals():
    from mage_ai.data_preparation.decorators import test

sys.path.append(get_repo_path())  # taxi/ is in the project's folder, and Mage looks only in the one above it

from taxi.google_clients import storage_client
from taxi.load_jobs import bigquery_client, load_objects


@data_exporter
def gcs_objects_to_bigquery(*args, **kwargs):
    """
    Variables of the pipeline:
        bucket, objects: Parquet objects in the lake, a list of names
        dataset, bigquery_table: the table, whose rows the objects replace; columns keep the names they have in them

    The job's id follows from what is loaded and where, so that trying again does not load twice.
    """
    bucket, objects = kwargs.get("bucket", "nyc-taxi-lake"), kwargs.get("objects", ["nyc_taxi_data.parquet"])
    table = f"{kwargs.get('dataset', 'ny_taxi')}.{kwargs.get('bigquery_table', 'yellow_cab_data')}"
    config = ConfigFileLoader(path.join(get_repo_path(), "io_config.yaml"), "default")

    with closing(storage_client(config)) as storage, closing(bigquery_client(config)) as bigquery:
        blobs = [storage.bucket(bucket).get_blob(name) for name in objects]
        assert all(blobs), f"gs://{bucket} lacks some of {', '.join(objects)}"
        version = ",".join(str(blob.generation) for blob in blobs)
        job = load_objects(bigquery, [f"gs://{bucket}/{name}" for name in objects], table, version=version)
        return {"job": job.job_id, "table": table, "rows": job.output_rows}


@test
def test_rows_were_loaded(loaded, *args):
    assert loaded["rows"] > 0, f"{loaded['table']} is empty"
    return f"{loaded['rows']:,} rows in {loaded['table']}"

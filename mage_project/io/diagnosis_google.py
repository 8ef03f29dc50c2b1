"""What works of Google's stores: objects and tables that are written to try it out, and removed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Any

from mage_project.errors import ConfigError, MageProjectError, StoreError
from mage_project.io.bigquery_client import EMULATOR as BIGQUERY_EMULATOR
from mage_project.io.diagnosis import GCS_EMULATOR, Examination, credential, is_named

_RETRY_S = 3.0
_DAY_MS = 24 * 60 * 60 * 1000
_LOCAL = "nothing names an account for Google: a run takes the local "


def storage(config: Any, buckets: Sequence[str]) -> Examination:
    """Google Cloud Storage, in the buckets that are named."""
    found = Examination("GCS")
    if not is_named(config, GCS_EMULATOR):
        found.pass_over("credentials", f"{_LOCAL}GCS")
        return found
    from mage_project.io.google_cloud_storage import GoogleCloudStorage

    store = GoogleCloudStorage.with_config(config, retry_s=_RETRY_S)
    if not found.try_out("credentials", lambda: _account(store, config, GCS_EMULATOR)):
        return found
    with closing(store.client):
        if not buckets:
            found.pass_over("connects", "no bucket to try: name one with --bucket")
        for bucket in buckets:
            _examine_bucket(found, store, bucket)
    return found


def _account(store: Any, config: Any, emulator: str) -> str:
    """Which credential is used, and whose it is."""
    account = getattr(store.client._credentials, "service_account_email", None)
    return credential(config, emulator) + (f": {account}" if account else "")


def _examine_bucket(found: Examination, store: Any, bucket: str) -> None:
    import pandas as pd

    key = f"mage_project_probe_{secrets.token_hex(4)}.csv"

    def write() -> str:
        store.export(pd.DataFrame({"probe": [1]}), bucket, key)
        return f"an object in '{bucket}'"

    def read() -> str:
        store.load(bucket, key)
        return f"an object in '{bucket}'"

    def remove() -> str:
        from mage_project.io import google_errors

        try:
            store.client.bucket(bucket).delete_blob(key)
        except google_errors.ALL as error:
            raise google_errors.told(error, store.client, f"deleting gs://{bucket}/{key}", bucket, key) from error
        return f"the object in '{bucket}' again"

    if found.try_out("writes", write):
        found.try_out("reads", read)
        found.try_out("deletes", remove)


def warehouse(config: Any, datasets: Sequence[str], buckets: Sequence[str]) -> Examination:
    """BigQuery, in the datasets that are named, and whether buckets are near enough to load from."""
    found = Examination("BigQuery")
    if not is_named(config, BIGQUERY_EMULATOR):
        found.pass_over("credentials", f"{_LOCAL}BigQuery")
        return found
    from mage_project.io.bigquery import BigQuery

    store = BigQuery.with_config(config, retry_s=_RETRY_S)
    if not found.try_out("credentials", lambda: _account(store, config, BIGQUERY_EMULATOR)):
        return found
    with closing(store):
        if found.try_out("connects", lambda: _ask(store)):
            if not datasets:
                found.pass_over("reads", "no dataset to try: name one with --dataset")
            for dataset in datasets:
                _examine_dataset(found, store, config, dataset, buckets)
    return found


def _ask(store: Any) -> str:
    """A query that reads nothing needs the right to run jobs."""
    from mage_project.io.bigquery_errors import telling
    from mage_project.io.bigquery_jobs import retry

    with telling("running a query", store.client):
        job = store.client.query("SELECT 1", retry=retry(_RETRY_S), job_retry=None)
        job.result(retry=retry(_RETRY_S), job_retry=None)
    return f"project '{store.client.project}', where it may run queries"


def _examine_dataset(found: Examination, store: Any, config: Any, name: str, buckets: Sequence[str]) -> None:
    dataset: Any = None

    def read() -> str:
        nonlocal dataset
        dataset = _dataset(store, name)
        if dataset is None:
            return f"there is no dataset '{name}' yet: the first export makes it"
        tables = list(store.client.list_tables(dataset, max_results=1_000, retry=None))
        return f"'{name}', tables: {len(tables)}"

    if not found.try_out("reads", read):
        return
    if dataset is None:
        found.try_out("writes", lambda: _write(store, f"mage_project_probe_{secrets.token_hex(4)}", is_made=True))
        return
    if found.try_out("region", lambda: _region(store, dataset, name)):
        found.try_out("writes", lambda: _write(store, name, is_made=False))
    for bucket in buckets:
        _examine_distance(found, config, dataset, name, bucket)
    life_ms = dataset.default_partition_expiration_ms
    if life_ms:
        what = f"partitions of '{name}' live for {life_ms // _DAY_MS} days (the free sandbox): older rows are refused"
        found.warn("partitions", what, "export without partition_by, or enable billing for the project")


def _dataset(store: Any, name: str) -> Any:
    from google.api_core.exceptions import NotFound

    from mage_project.io.bigquery_errors import telling
    from mage_project.io.bigquery_jobs import retry

    with telling(f"looking for the dataset {name}", store.client):
        try:
            return store.client.get_dataset(name, retry=retry(_RETRY_S))
        except NotFound:
            return None


def _region(store: Any, dataset: Any, name: str) -> str:
    from mage_project.io.bigquery_tables import TableName
    from mage_project.io.bigquery_targets import check_location

    check_location(
        dataset, store.client.location, TableName(project=dataset.project, dataset=dataset.dataset_id, table="")
    )
    named = ", as GOOGLE_LOCATION says" if store.client.location else ""
    return f"'{name}' is in {dataset.location}{named}"


def _write(store: Any, name: str, *, is_made: bool) -> str:
    """A table with one row, by the way of every export. A dataset that is made for it is removed with it."""
    import pandas as pd

    table = f"{name}.mage_project_probe_{secrets.token_hex(4)}"
    if is_made:
        _made(store, name)
    try:
        store.export(pd.DataFrame({"probe": [1]}), table, if_exists="fail", create_dataset=False)
        store.delete_table(table)
    finally:
        if is_made:
            store.client.delete_dataset(name, delete_contents=True, not_found_ok=True)
    return "a dataset with a table, and removed it" if is_made else f"a table in '{name}', and removed it"


def _made(store: Any, name: str) -> None:
    from google.cloud.bigquery import Dataset

    from mage_project.io.bigquery_errors import telling
    from mage_project.io.bigquery_jobs import retry

    wanted = Dataset(f"{store.client.project}.{name}")
    if store.client.location:
        wanted.location = store.client.location
    try:
        with telling(f"making a dataset in '{store.client.project}'", store.client):
            store.client.create_dataset(wanted, retry=retry(_RETRY_S))
    except StoreError as error:
        if error.transient:
            raise
        fix = "give the account BigQuery User on the project, or make the dataset yourself: bq mk --dataset"
        raise ConfigError(error.what, hint=fix) from error


def _examine_distance(found: Examination, config: Any, dataset: Any, name: str, bucket: str) -> None:
    from mage_project.io import google_errors
    from mage_project.io.google_cloud_storage import GoogleCloudStorage

    place = None
    with suppress(MageProjectError, *google_errors.ALL):  # what is wrong with the bucket is told where it is tried
        storage_client = GoogleCloudStorage.with_config(config, retry_s=_RETRY_S).client
        with closing(storage_client):
            place = storage_client.get_bucket(bucket, retry=None).location
    if place is None:
        found.pass_over("region", f"where '{bucket}' is cannot be seen (that needs storage.buckets.get)")
        return
    found.try_out("region", lambda: _distance(dataset.location, place, name, bucket))


def _distance(dataset_place: str, bucket_place: str, dataset: str, bucket: str) -> str:
    """Raises ConfigError if a load job cannot go from the bucket to the dataset.

    https://cloud.google.com/bigquery/docs/loading-data-cloud-storage#data-locations
    """
    there, here = dataset_place.upper(), bucket_place.upper()
    if there not in {"US", here} and not (there == "EU" and here.startswith("EUR")):
        what = f"the bucket '{bucket}' is in {here}, the dataset '{dataset}' in {there}: no load job goes between them"
        raise ConfigError(
            what, hint=f"make a bucket in {there}: gcloud storage buckets create gs://… --location={there}"
        )
    return f"'{bucket}' ({here}) is near enough to '{dataset}' ({there}) to load from"

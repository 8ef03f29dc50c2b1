"""What is found before the first row is sent: the dataset, where it is, and the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions as api

from mage_project.errors import StoreError, did_you_mean
from mage_project.io.bigquery_client import is_emulated
from mage_project.io.bigquery_errors import ALL, telling
from mage_project.io.bigquery_tables import TableName

#: The emulator says this of every dataset that was made without a location.
_EMULATED_DEFAULT = "US"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The table to write to: its name, where it is, Google's Table (None before there is one), and the dataset's."""

    name: TableName
    location: str
    table: Any
    dataset: Any


def found(client: Any, name: TableName, *, create_dataset: bool, retry: Any) -> Target:
    """The target as it is. A dataset that is missing is made, and that is said, or with `create_dataset` off refused.

    Raises StoreError if the dataset is not where the client's location (GOOGLE_LOCATION) says.
    """
    with telling(f"looking for {name}", client, name):
        dataset = _dataset(client, name, create_dataset, retry)
        check_location(dataset, client.location, name)
        try:
            table = client.get_table(str(name), retry=retry)
        except api.NotFound:
            table = None
    if table is not None and table.table_type != "TABLE":
        raise StoreError(f"{name} is no table but a {table.table_type.lower()}", hint="give the table another name")
    return Target(name=name, location=dataset.location, table=table, dataset=dataset)


def _dataset(client: Any, name: TableName, create: bool, retry: Any) -> Any:
    where = f"{name.project}.{name.dataset}"
    try:
        return client.get_dataset(where, retry=retry)
    except api.NotFound:
        if not create:
            raise _no_dataset(client, name) from None
    from google.cloud.bigquery import Dataset

    wanted = Dataset(where)
    if client.location:
        wanted.location = client.location
    dataset = client.create_dataset(wanted, exists_ok=True, retry=retry)
    print(f"BigQuery: made the dataset {where} in {dataset.location}")
    return dataset


def _no_dataset(client: Any, name: TableName) -> StoreError:
    try:
        datasets = [listed.dataset_id for listed in client.list_datasets(name.project, max_results=1_000, retry=None)]
    except ALL:
        datasets = []
    guess = did_you_mean(name.dataset, datasets)
    hint = f"create it (bq mk --dataset {name.project}:{name.dataset}), or pass create_dataset=True"
    return StoreError(f"there is no dataset {name.project}.{name.dataset}.{guess}", hint=hint)


def check_location(dataset: Any, location: str | None, name: TableName) -> None:
    """Raises StoreError if the dataset is somewhere else than `location`."""
    there = dataset.location
    if not location or there.lower() == location.lower() or (is_emulated() and there == _EMULATED_DEFAULT):
        return
    what = f"the dataset {name.project}.{name.dataset} is in {there}, but GOOGLE_LOCATION is {location}"
    raise StoreError(what, hint=f"set GOOGLE_LOCATION to {there}, or take a dataset in {location}")

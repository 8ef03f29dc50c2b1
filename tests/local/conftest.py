from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud import storage

from mage_project.local import LocalStack
from tests.local.owners import BOTH, Owner, OwnerFactory, eventually, processes_of
from tests.local.warehouses import Dataset, dataset


@pytest.fixture(scope="session")
def used_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose servers have run before and are stopped."""
    root = tmp_path_factory.mktemp("used project")
    stack = LocalStack(root)
    stack.up(BOTH)
    stack.down()
    return root


@pytest.fixture
def project(used_project: Path) -> Iterator[Path]:
    """A project whose servers are stopped, and which leaves no process behind."""
    yield used_project
    LocalStack(used_project).down()
    eventually(lambda: not processes_of(used_project))


@pytest.fixture
def owner() -> Iterator[OwnerFactory]:
    """Starts processes that use a stack; they are killed at the end of the test."""
    owners: list[Owner] = []

    def start(project: Path, code: str = "stack.up(BOTH)") -> Owner:
        owners.append(Owner(project, code))
        return owners[-1]

    yield start
    for process in owners:
        process.kill()


@pytest.fixture
def trips(local_stack: LocalStack) -> Iterator[Dataset]:
    """An empty dataset of the local BigQuery."""
    local_stack.up(("bigquery",))
    with dataset(local_stack) as empty:
        yield empty


@pytest.fixture
def bucket(local_stack: LocalStack) -> Iterator[storage.Bucket]:
    """The empty bucket `bigquery-lake`, as Google's client sees it."""
    local_stack.ensure_buckets(["bigquery-lake"])
    options = {"api_endpoint": local_stack.env(("gcs",))["STORAGE_EMULATOR_HOST"]}
    client = storage.Client(project="local", client_options=options, use_auth_w_custom_endpoint=False)
    empty = client.bucket("bigquery-lake")
    empty.delete_blobs(list(empty.list_blobs()))
    yield empty
    client.close()

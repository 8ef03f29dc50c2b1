"""What tests of several packages share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from google.cloud import storage

from mage_project.local import LocalStack


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Postgres and GCS of a project of its own, running; one per pytest worker. BigQuery joins for who asks for it."""
    stack = LocalStack(tmp_path_factory.mktemp("local stack"))
    stack.up(("postgres", "gcs"))
    yield stack
    stack.down()


@pytest.fixture
def postgres_env(local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that point to the local Postgres, set in this test."""
    return _set(local_stack.env(("postgres",)), monkeypatch)


@pytest.fixture
def gcs_env(local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The variables that point to the local GCS server, set in this test.

    What the test leaves to the garbage collector goes with it: an open socket is this test's fault, not the next one's.
    """
    yield _set(local_stack.env(("gcs",)), monkeypatch)
    gc.collect()


@pytest.fixture
def gcs_client(gcs_env: dict[str, str]) -> Iterator[storage.Client]:
    """Google's client of the local GCS server."""
    client = storage.Client()
    yield client
    client.close()


@pytest.fixture
def bigquery_env(local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that point to the local BigQuery, set in this test."""
    local_stack.up(("bigquery",))
    return _set(local_stack.env(("bigquery",)), monkeypatch)


def _set(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables

"""What tests of several packages share."""

from __future__ import annotations

import gc
import secrets
import signal
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from google.cloud import storage

from mage_project.local import LocalStack
from tests.garbage import forget

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
def own_database(postgres_env: dict[str, str]) -> Iterator[str]:
    """The address of a database of this test's own in the local Postgres."""
    name = f"test_{secrets.token_hex(4)}"
    account = f"{postgres_env['POSTGRES_USER']}:{postgres_env['POSTGRES_PASSWORD']}"
    server = f"postgresql://{account}@{postgres_env['POSTGRES_HOST']}:{postgres_env['POSTGRES_PORT']}"
    with closing(psycopg2.connect(f"{server}/{postgres_env['POSTGRES_DBNAME']}")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            yield f"{server}/{name}"
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def gcs_env(local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The variables that point to the local GCS server, set in this test.

    What the test leaves to the garbage collector goes with it: an open socket is this test's fault, not the next one's,
    and not that of a test before it.
    """
    forget()
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

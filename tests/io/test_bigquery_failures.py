from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from mage_project.errors import ConfigError, StoreError, StoreUnavailable
from mage_project.io import bigquery_client
from mage_project.io.bigquery import BigQuery
from mage_project.io.config import ConfigFileLoader
from tests.garbage import forget
from tests.io.faulty_proxy import FaultyProxy

FRAME = pd.DataFrame({"id": [1, 2]})


@pytest.fixture
def table(bigquery_env: dict[str, str]) -> Iterator[str]:
    dataset = f"test_{secrets.token_hex(4)}"
    with BigQuery() as store:
        store.client.create_dataset(dataset)
        yield f"{dataset}.trips"
        store.client.delete_dataset(dataset, delete_contents=True)
    del store
    forget()


@pytest.fixture
def proxy(bigquery_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(bigquery_env["BIGQUERY_EMULATOR_HOST"])
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
    yield proxy
    forget()
    proxy.close()


def once(words: str, fault: Any) -> Any:
    """A fault for the first request of each method to a path with these words."""
    spoilt: set[str] = set()

    def spoil(method: str, path: str) -> Any:
        if words not in path or method in spoilt:
            return None
        spoilt.add(method)
        return fault

    return spoil


def ids(table: str) -> list[int]:
    with BigQuery() as store:
        return [row.id for row in store.execute_query_raw(f"SELECT id FROM {table} ORDER BY id")]


@pytest.mark.parametrize("fault", [503, 429, "drop", "lost"])
@pytest.mark.parametrize("words", ["/datasets/", "/jobs", "/upload/"])
def test_what_fails_in_passing_is_tried_again_and_loads_once(table, proxy, fault, words):
    proxy.fault = once(words, fault)
    with BigQuery() as store:
        store.export(FRAME, table, if_exists="append")
    proxy.fault = lambda method, path: None
    assert ids(table) == [1, 2]


def test_an_append_whose_end_nobody_heard_of_is_not_done_twice(table, proxy):
    swaps: list[str] = []

    def deaf_after_the_swap(method: str, path: str) -> Any:
        if swaps:
            return "drop"
        if method == "POST" and path.partition("?")[0].endswith("/jobs") and "upload" not in path:
            swaps.append(path)
            return "lost"
        return None

    proxy.fault = deaf_after_the_swap
    with BigQuery(retry_s=0.5) as store, pytest.raises(StoreUnavailable, match=r"writing .*trips") as caught:
        store.export(FRAME, table, if_exists="append")
    assert "not known whether the rows arrived" in str(caught.value)
    proxy.fault = lambda method, path: None
    with BigQuery() as store:
        store.export(FRAME, table, if_exists="append")
    assert ids(table) == [1, 2]


@pytest.mark.parametrize("fault", [503, "drop"])
def test_a_warehouse_that_goes_on_failing_is_unavailable(table, proxy, fault):
    proxy.fault = lambda method, path: fault
    with BigQuery(retry_s=0.5) as store, pytest.raises(StoreUnavailable, match=r"tried again in vain"):
        store.export(FRAME, table)


def test_a_warehouse_that_is_down_is_unavailable(bigquery_env, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    with BigQuery(retry_s=0.5) as store, pytest.raises(StoreUnavailable, match=r"no connection"):
        store.export(FRAME, "ny_taxi.trips")


def test_a_refusal_says_which_roles_are_missing(table, proxy):
    proxy.fault = lambda method, path: 403 if method == "POST" else None
    with BigQuery(retry_s=0.5) as store, pytest.raises(StoreError, match=r"as told") as caught:
        store.export(FRAME, table)
    assert "BigQuery Data Editor" in str(caught.value)
    assert not caught.value.transient


def test_a_missing_table_or_dataset_is_told_with_the_one_that_may_be_meant(table):
    with BigQuery() as store:
        store.export(FRAME, table)
        with pytest.raises(StoreError, match=r"there is no table .*tripz.*Did you mean 'trips'"):
            store.load(table.replace("trips", "tripz"))
        with pytest.raises(StoreError, match=f"there is no dataset .*x .*Did you mean '{table.partition('.')[0]}'"):
            store.load(table.replace(".", "x."))


def test_a_wrong_statement_is_shown_with_the_place(bigquery_env):
    with BigQuery() as store, pytest.raises(StoreError) as caught:
        store.load("SELECT 1\n  )")
    assert str(caught.value).splitlines()[1:] == ["  line 2:   )", "            ^"]


# -- the price


@pytest.fixture
def priced(proxy: FaultyProxy) -> FaultyProxy:
    """The emulator reads for nothing: here a dry run says what Google would."""

    def rewrite(path: str, content: bytes) -> bytes:
        answer = json.loads(content or b"{}")
        if answer.get("configuration", {}).get("dryRun"):
            answer["statistics"]["totalBytesProcessed"] = str(3 * 1024**3)
            answer["statistics"]["query"]["totalBytesProcessed"] = str(3 * 1024**3)
        return json.dumps(answer).encode()

    proxy.rewrite = rewrite
    return proxy


def test_the_price_is_said_before_a_query_runs(priced, capsys):
    with BigQuery() as store:
        assert len(store.load("SELECT 1 AS one")) == 1
    assert capsys.readouterr().out == "BigQuery: the query reads 3.0 GB\n"


def test_a_query_above_the_limit_is_refused_before_it_runs(priced, table, monkeypatch):
    monkeypatch.setenv("BIGQUERY_MAXIMUM_BYTES_BILLED", str(2 * 1024**3))
    statement = f"CREATE TABLE {table} AS SELECT 1 AS id"
    with BigQuery() as store, pytest.raises(StoreError, match=r"would read 3.0 GB, the limit is 2.0 GB") as caught:
        store.execute(statement)
    assert "BIGQUERY_MAXIMUM_BYTES_BILLED" in str(caught.value)
    with BigQuery(maximum_bytes_billed=4 * 1024**3) as store:
        store.execute(statement)
    assert ids_without_price(table) == 1


def test_a_merge_above_the_limit_is_refused(priced, table):
    keys = {"unique_constraints": ["id"], "unique_conflict_method": "UPDATE", "if_exists": "append"}
    with BigQuery(maximum_bytes_billed=1024) as store:
        store.export(FRAME, table, **keys)
        with pytest.raises(StoreError, match=r"would read 3.0 GB, the limit is 1.0 KB"):
            store.export(FRAME, table, **keys)


def ids_without_price(table: str) -> int:
    with BigQuery() as store:
        return len(store.load(table))


def test_the_limit_can_stand_in_the_profile(priced):
    config = ConfigFileLoader(config={"BIGQUERY_MAXIMUM_BYTES_BILLED": 1024})
    with BigQuery.with_config(config) as store, pytest.raises(StoreError, match=r"the limit is 1.0 KB"):
        store.load("SELECT 1")


def test_a_limit_that_is_no_number_is_told(bigquery_env, monkeypatch):
    monkeypatch.setenv("BIGQUERY_MAXIMUM_BYTES_BILLED", "much")
    with BigQuery() as store, pytest.raises(ConfigError, match=r"'much' is no number of bytes"):
        store.load("SELECT 1")


# -- who connects


def test_the_emulator_needs_no_credentials_and_a_profile_says_the_location(bigquery_env):
    config = ConfigFileLoader(
        config={"GOOGLE_LOCATION": "europe-west1", "GOOGLE_SERVICE_ACC_KEY_FILEPATH": "/not/there"}
    )
    client = bigquery_client.client(config)
    assert client.location == "europe-west1"
    assert client.project == bigquery_env["GOOGLE_CLOUD_PROJECT"]
    client.close()


def test_without_a_project_the_error_says_what_to_set(monkeypatch, tmp_path):
    for name in ("BIGQUERY_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    from google.auth.credentials import AnonymousCredentials

    with pytest.raises(ConfigError, match=r"name no Google Cloud project") as caught:
        bigquery_client.client(credentials=AnonymousCredentials())
    assert "export GOOGLE_CLOUD_PROJECT=" in str(caught.value)

"""`taxi_month`, run by real Mage and by the runner: the same months, the same rows in all three stores."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing

import pyarrow.parquet as pq
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from mage_project.local import LocalStack
from tests.conformance.box import Box
from tests.conformance.conftest import copy_of_the_project, sample_months
from tests.conformance.runners import Both, Mage, Ours, mage_commands, our_commands
from tests.conformance.stores import BUCKET, Stores
from tests.conformance.test_course import has_bigquery

MONTHS = ["2020-10", "2020-11"]
Rows = list[tuple[str, ...]]


@pytest.fixture(scope="module")
def said(local_stack: LocalStack, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What "mage" and "ours" said when they loaded the months, and when they loaded them again."""
    mage = mage_commands()
    if mage is None or not has_bigquery(mage):
        pytest.skip("no real Mage with what requirements.txt names: `make mage-venv` installs it")
    if lack := local_stack.missing("bigquery"):
        pytest.skip(lack)
    local_stack.up(("bigquery",))
    box = Box(folder=tmp_path_factory.mktemp("months"), stores=local_stack.env(("postgres", "gcs", "bigquery")))
    both = Both(
        mage=Mage(name="mage", commands=mage, box=box), ours=Ours(name="ours", commands=our_commands(), box=box)
    )
    project = copy_of_the_project(tmp_path_factory.mktemp("project") / "shipped")

    def given(name: str) -> dict[str, object]:
        places = {"schema": "mage", "table": f"{name}_months", "dataset": name, "lake_table": f"{name}_months"}
        return {"source": str(sample_months()), "months": MONTHS, **places}

    ended = [both.succeed(project, "taxi_month", given) for _ in range(2)]
    return {name: [each[name].said for each in ended] for name in ("mage", "ours")}


@pytest.mark.parametrize("name", ["mage", "ours"])
def test_months_that_are_loaded_are_nothing_to_do(said: dict[str, list[str]], name: str) -> None:
    first, second = said[name]
    assert (first.count("2020-11 loaded, 2,900 rows"), first.count("unchanged")) == (3, 0)
    assert second.count("2020-11 is loaded already, unchanged (2,900 rows): nothing was written") == 3


@pytest.mark.usefixtures("said")
def test_postgres_has_the_same_columns_and_rows(stores: Stores) -> None:
    types = stores.columns("ours_months")
    assert types == stores.columns("mage_months")
    assert stores.count("ours_months") == stores.count("mage_months") == 6_100
    assert stores.surplus("ours_months", "mage_months", types) == []


@pytest.mark.usefixtures("said")
def test_the_lake_has_the_same_rows(stores: Stores) -> None:
    def rows(table: str) -> Rows:
        blobs = stores.gcs.list_blobs(BUCKET, prefix=f"{table}/")
        found = {blob.name.split("/")[1]: blob.download_as_bytes() for blob in blobs if blob.name.endswith(".parquet")}
        return sorted(
            (month, *map(str, trip.values()))
            for month, content in found.items()
            for trip in pq.read_table(io.BytesIO(content)).to_pylist()
        )

    assert rows("ours_months") == rows("mage_months")
    assert len(rows("ours_months")) == 6_100


@pytest.fixture
def warehouse(local_stack: LocalStack) -> Iterator[bigquery.Client]:
    options = {"api_endpoint": local_stack.env(("bigquery",))["BIGQUERY_EMULATOR_HOST"]}
    with closing(bigquery.Client("local", AnonymousCredentials(), client_options=options)) as client:
        yield client


@pytest.mark.usefixtures("said")
def test_bigquery_has_the_same_rows(warehouse: bigquery.Client) -> None:
    def rows(name: str) -> Rows:
        table = warehouse.get_table(f"{name}.green_trips")
        return sorted(tuple(map(str, row.values())) for row in warehouse.list_rows(table))

    assert rows("ours") == rows("mage")
    assert len(rows("ours")) == 6_100

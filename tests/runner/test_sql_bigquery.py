"""SQL blocks in BigQuery, against the local server."""

from __future__ import annotations

import gc
import secrets

import pytest

from mage_project.io.bigquery import BigQuery
from tests.projects import block
from tests.runner.sql_projects import run, sql_block

NUMBERS = """
import pandas as pd

@data_loader
def load(**kwargs):
    return pd.DataFrame({'n': [1, 2, 3], 'word': ['a', 'b', None]})
"""


@pytest.fixture
def dataset(bigquery_env):
    name = f"test_{secrets.token_hex(4)}"
    yield name
    with BigQuery() as store:
        store.client.delete_dataset(name, delete_contents=True, not_found_ok=True)
    gc.collect()


def bigquery(uuid, kind, *upstream, **configuration):
    return sql_block(uuid, kind, *upstream, data_provider="bigquery", **configuration)


def rows(query):
    with BigQuery() as store:
        return [tuple(row.values()) for row in store.execute_query_raw(query)]


def test_the_output_of_an_upstream_python_block_is_a_table_and_so_is_the_result(tmp_path, dataset):
    blocks = [block("numbers", "data_loader"), bigquery("double", "transformer", "numbers", schema=dataset)]
    record = run(tmp_path, blocks, {"numbers": NUMBERS, "double": "SELECT n * 2 AS twice FROM {{ df_1 }} WHERE n > 1;"})
    assert record.error is None
    assert rows(f"SELECT * FROM {dataset}.dev_p_numbers_v1 ORDER BY 1") == [(1, "a"), (2, "b"), (3, None)]
    assert rows(f"SELECT * FROM {dataset}.dev_p_double_v1 ORDER BY 1") == [(4,), (6,)]
    assert record.blocks[1].rows_out == 2


@pytest.mark.parametrize(("policy", "expected"), [("append", [(1,), (1,)]), ("replace", [(1,)])])
def test_the_write_policy_says_what_becomes_of_the_table(tmp_path, dataset, policy, expected):
    settings = {"schema": dataset, "data_provider_table": "ones", "export_write_policy": policy}
    for _ in range(2):
        assert run(tmp_path, [bigquery("one", "data_exporter", **settings)], {"one": "SELECT 1 AS n"}).error is None
    assert rows(f"SELECT * FROM {dataset}.ones") == expected


def test_raw_statements_run_one_after_the_other(tmp_path, dataset):
    with BigQuery() as store:
        store.client.create_dataset(dataset)
    code = f"""
    CREATE OR REPLACE TABLE {dataset}.t AS SELECT 1 AS n;
    CREATE OR REPLACE TABLE {dataset}.u AS SELECT n + 1 AS n FROM {dataset}.t;
    """
    record = run(tmp_path, [bigquery("make", "data_loader", use_raw_sql=True)], {"make": code})
    assert record.error is None
    assert rows(f"SELECT * FROM {dataset}.u") == [(2,)]


def test_a_dataset_must_be_named(tmp_path, bigquery_env):
    record = run(tmp_path, [bigquery("one", "data_loader")], {"one": "SELECT 1 AS n"})
    assert "BigQuery needs one" in record.error
    assert "data_provider_schema" in record.error

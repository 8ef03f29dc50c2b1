"""Rows in a table of BigQuery, page by page: reading a table's rows, other than a query, costs nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from mage_project.errors import ConfigError
from mage_project.io.bigquery import BigQuery

PAGE_ROWS = 50_000


def tables(name: str, config: Any) -> Iterator[pa.Table]:
    """The rows of `dataset.table` or `project.dataset.table`. Raises StoreError where there is no such table."""
    from mage_project.io.bigquery_errors import telling

    if name.count(".") not in (1, 2):
        raise ConfigError(f"'{name}' is no table of BigQuery", hint="bigquery:dataset.table")
    loader = BigQuery.with_config(config)
    client = loader.client
    whole = name if name.count(".") == 2 else f"{client.project}.{name}"
    with telling(f"reading {name}", client), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Retrieving ", PendingDeprecationWarning)
        rows = client.list_rows(client.get_table(whole), page_size=PAGE_ROWS)
        for batch in rows.to_arrow_iterable():
            yield pa.table(batch)

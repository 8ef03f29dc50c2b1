"""Queries whose price is known before they run."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from google.api_core import exceptions as api

from mage_project.errors import ConfigError, StoreError
from mage_project.io.bigquery_client import storage_client
from mage_project.io.bigquery_errors import telling
from mage_project.io.bigquery_jobs import RETRY_S, retry

if TYPE_CHECKING:
    import pandas as pd

#: The setting that says how much one query may read, in a profile or in the environment.
LIMIT = "BIGQUERY_MAXIMUM_BYTES_BILLED"
#: A tenth of what Google gives for nothing in a month (https://cloud.google.com/bigquery/pricing).
DEFAULT_LIMIT_BYTES = 100 * 1024**3
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def limit_of(given: Any = None) -> int:
    """How many bytes one query may read: what is given, else the environment's, else 100 GiB. Raises ConfigError."""
    value = given if given is not None else os.environ.get(LIMIT)
    if value in (None, ""):
        return DEFAULT_LIMIT_BYTES
    try:
        return int(value)
    except ValueError as error:
        raise ConfigError(f"{LIMIT} '{value}' is no number of bytes", hint=f"{LIMIT}={DEFAULT_LIMIT_BYTES}") from error


def config_of(job_config: Any = None, *, limit_bytes: int) -> Any:
    """Google's QueryJobConfig with the limit in it, unless it has a smaller one. BigQuery itself watches it then."""
    from google.cloud.bigquery import QueryJobConfig

    config = QueryJobConfig.from_api_repr(job_config.to_api_repr()) if job_config is not None else QueryJobConfig()
    config.maximum_bytes_billed = min(config.maximum_bytes_billed or limit_bytes, limit_bytes)
    return config


def dry_run_of(config: Any) -> Any:
    """The QueryJobConfig that only asks what a query would do, whatever it reads."""
    told = config.to_api_repr()
    told.setdefault("query", {}).pop("maximumBytesBilled", None)
    dry = type(config).from_api_repr(told)
    dry.dry_run, dry.use_query_cache = True, False
    return dry


def check_price(client: Any, query: str, config: Any, *, location: str | None = None) -> int | None:
    """The bytes that the query will read, said before it runs; None where BigQuery cannot know (scripts).

    Raises StoreError above the limit in `config`, and for a query that is wrong.
    """
    try:
        job = client.query(query, job_config=dry_run_of(config), location=location, retry=retry(RETRY_S))
    except api.NotFound:
        return None  # a script may make the table that it reads: the query itself finds out
    size: int | None = job.total_bytes_processed
    if size is None:
        return None
    if size:  # statements that read nothing cost nothing, and neither does anything in the emulator
        print(f"BigQuery: the query reads {size_text(size)}")
    if config.maximum_bytes_billed is not None and size > config.maximum_bytes_billed:
        what = f"the query would read {size_text(size)}, the limit is {size_text(config.maximum_bytes_billed)}"
        hint = f"name the columns and partitions that are needed, or set {LIMIT} (or maximum_bytes_billed=) to {size}"
        raise StoreError(what, hint=hint)
    return size


def size_text(size_bytes: int) -> str:
    """`1.5 GB`, in units of 1,024."""
    size, unit = float(size_bytes), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size_bytes} B"


def run(client: Any, query: str, config: Any, *, doing: str = "running a query", location: str | None = None) -> Any:
    """The finished job of a query, after a look at its price. Raises StoreError and StoreUnavailable."""
    with telling(doing, client, statement=query):
        check_price(client, query, config, location=location)
        job = client.query(query, job_config=config, location=location, retry=retry(RETRY_S))
        job.result(retry=retry(RETRY_S))
    return job


def frame_of(client: Any, rows: Any) -> pd.DataFrame:
    """What a query or a table gives, with the types of Google's own frames: nullable integers, dates as dbdate."""
    import db_dtypes  # type: ignore[import-untyped]
    import pandas as pd
    import pyarrow as pa

    reader = storage_client(client) if getattr(rows, "max_results", None) is None else None
    try:
        with warnings.catch_warnings():
            # Google's newest releases say of every reading that another library will do it one day.
            warnings.filterwarnings("ignore", "Retrieving ", PendingDeprecationWarning)
            table = rows.to_arrow(bqstorage_client=reader, create_bqstorage_client=False)
    finally:
        if reader is not None:
            reader.transport.close()
    types: dict[Any, Any] = {
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
        pa.date32(): db_dtypes.DateDtype(),
        pa.time64("us"): db_dtypes.TimeDtype(),
    }
    frame: pd.DataFrame = table.to_pandas(types_mapper=types.get)
    return frame

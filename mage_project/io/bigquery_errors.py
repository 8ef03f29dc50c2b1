"""What BigQuery refuses, told with the project, dataset and table, the place in the statement, and what may help."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud.exceptions import GoogleCloudError
from google.resumable_media import InvalidResponse

from mage_project.errors import StoreError, StoreUnavailable, did_you_mean
from mage_project.io.bigquery_tables import TableName

ALL = (
    api.GoogleAPIError, GoogleCloudError, auth.GoogleAuthError, InvalidResponse, requests.RequestException,
    ConnectionError, TimeoutError,
)  # fmt: skip

#: Google's reasons for what passes by itself (https://cloud.google.com/bigquery/docs/error-messages).
_PASSING_REASONS = {"backendError", "internalError", "rateLimitExceeded", "jobRateLimitExceeded", "tableUnavailable"}
_PASSING = {408, 429, 500, 502, 503, 504}
_PLACE = re.compile(r"\[(?P<line>\d+):(?P<column>\d+)\]")
_BEFORE = re.compile(r"^(?:GET|POST|PUT|PATCH|DELETE) \S+: ")
_AFTER = re.compile(r"; reason: .*|\n\n?Location: .*", re.DOTALL)
_LISTED = 1_000
_HINTS = {
    "accessDenied": "give the account BigQuery Data Editor on the dataset and BigQuery Job User on the project",
    "billingNotEnabled": "the free sandbox has no DML and no streaming: enable billing, or replace the whole table",
    "bytesBilledLimitExceeded": "read fewer columns or partitions, or raise maximum_bytes_billed",
    "quotaExceeded": "wait for the quota to be renewed (https://cloud.google.com/bigquery/quotas)",
    "responseTooLarge": "write the result to a table: export(None, table_id, query_string=...)",
}


@contextmanager
def telling(doing: str, client: Any, table: TableName | None = None, statement: str | None = None) -> Iterator[None]:
    """Google's errors as ours. `doing`: `writing demo.sales.orders`."""
    try:
        yield
    except ALL as error:
        raise told(error, client, doing, table, statement) from error


def told(
    error: Exception, client: Any, doing: str, table: TableName | None = None, statement: str | None = None
) -> StoreError:
    """The error to raise for Google's."""
    if isinstance(error, api.RetryError) and isinstance(error.cause, Exception):
        error = error.cause
    if is_passing(error):
        what = f"BigQuery failed while {doing}, tried again in vain: {_message(error)}"
        return StoreUnavailable(what, hint="nothing was changed: run it again later")
    if isinstance(error, auth.GoogleAuthError):
        hint = "make a new key for the account, or sign in again: gcloud auth application-default login"
        return StoreError(f"Google does not accept the credentials while {doing}: {error!s:.200}", hint=hint)
    if _status(error) == 404 and table is not None and (missing := _missing(client, doing, table)):
        return missing
    what = f"BigQuery refuses while {doing}: {_message(error)}"
    if statement is not None:
        what += _place(str(error), statement)
    return StoreError(what, hint=_hint(error))


def is_passing(error: Exception) -> bool:
    """Whether another try may help."""
    if isinstance(error, auth.TransportError | requests.RequestException | ConnectionError | TimeoutError):
        return True
    if _status(error) in {404, 410} and "upload_id=" in str(error):
        return True  # the upload is over, for an answer that nobody heard: it is begun anew, and finds its job
    return _status(error) in _PASSING or _reason(error) in _PASSING_REASONS


def is_missing(error: Exception) -> bool:
    return _status(error) == 404


def _status(error: Exception) -> int | None:
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    return int(error.code) if isinstance(error, api.GoogleAPICallError) and error.code is not None else None


def _reason(error: Exception) -> str:
    errors = getattr(error, "errors", None) or [{}]
    return str(errors[0].get("reason") or "") if isinstance(errors[0], dict) else ""


def _message(error: Exception) -> str:
    if isinstance(error, InvalidResponse):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, api.GoogleAPICallError):
        said = _AFTER.sub("", _BEFORE.sub("", f"{error.message}"))
        return " ".join(said.split())[:600] or f"HTTP {error.code}"
    if isinstance(error, requests.ConnectionError | ConnectionError):
        return "no connection"
    return f"{type(error).__name__} {error}"[:300]


def _hint(error: Exception) -> str | None:
    reason = _reason(error)
    if reason in _HINTS:
        return _HINTS[reason]
    if _status(error) in {401, 403}:
        return _HINTS["billingNotEnabled" if "illing" in str(error) else "accessDenied"]
    return None


def _missing(client: Any, doing: str, table: TableName) -> StoreError | None:
    """Project, dataset or table, with the one that may be meant; None if all of them are there."""
    where = f"{table.project}.{table.dataset}"
    with suppress(*ALL):
        names = [found.table_id for found in client.list_tables(where, max_results=_LISTED, retry=None)]
        if table.table in names:
            return None
        what = f"there is no table {table} (while {doing}).{did_you_mean(table.table, names)}"
        return StoreError(what, hint=f"the dataset has: {', '.join(names[:5]) or 'no table'}")
    datasets: list[str] = []
    with suppress(*ALL):
        datasets = [found.dataset_id for found in client.list_datasets(table.project, max_results=_LISTED, retry=None)]
    what = f"there is no dataset {where} (while {doing}).{did_you_mean(table.dataset, datasets)}"
    hint = f"create it: bq mk --dataset {table.project}:{table.dataset}"
    if os.environ.get("BIGQUERY_EMULATOR_HOST"):
        hint = "run first what fills it: an export makes the dataset"
    return StoreError(what, hint=hint)


def _place(message: str, statement: str) -> str:
    """The line of the statement that the message points at, with a mark below the place."""
    match = _PLACE.search(message)
    lines = statement.splitlines() or [""]
    if not match or int(match["line"]) > len(lines):
        return f"\n  statement: {' '.join(statement.split())[:300]}"
    line, column = int(match["line"]), int(match["column"])
    return f"\n  line {line}: {lines[line - 1]}\n{' ' * (len(f'  line {line}: ') + column - 1)}^"

"""What Google Cloud Storage refuses, told with the object, the cause and what may help."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from mage_project.errors import StoreError, StoreUnavailable, did_you_mean

ALL = (api.GoogleAPIError, auth.GoogleAuthError, InvalidResponse, DataCorruption, requests.RequestException)

#: Objects and buckets that are looked through for the one that may be meant.
_LISTED = 1_000
_PASSING = {408, 429, 500, 502, 503, 504}


def told(error: Exception, client: Any, doing: str, bucket: str, key: str) -> StoreError:
    """The error to raise for Google's. `doing`: `loading gs://lake/trips.parquet`."""
    if isinstance(error, api.RetryError) and isinstance(error.cause, Exception):
        error = error.cause
    status = _status(error)
    if status == 404:
        return _missing(client, doing, bucket, key)
    if status in {401, 403} or isinstance(error, auth.RefreshError):
        hint = "give the account the role Storage Object Admin on the bucket, or use another account's key"
        return StoreError(f"Google refuses while {doing}: {_message(error)}", hint=hint)
    if status in _PASSING or isinstance(error, requests.RequestException | auth.TransportError | DataCorruption):
        what = f"Google Cloud Storage failed while {doing}, tried again in vain: {_message(error)}"
        return StoreUnavailable(what, hint="nothing was changed: run it again later")
    return StoreError(f"Google refuses while {doing}: {_message(error)}")


def _status(error: Exception) -> int | None:
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    return int(error.code) if isinstance(error, api.GoogleAPICallError) and error.code is not None else None


def _message(error: Exception) -> str:
    if isinstance(error, InvalidResponse):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, api.GoogleAPICallError):
        return f"HTTP {error.code} {' '.join(str(error.message).split())}"[:300]
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"{type(error).__name__} {' '.join(str(error).split())}"[:300]


def _missing(client: Any, doing: str, bucket: str, key: str) -> StoreError:
    """The object or the bucket, with the name that may be meant."""
    with suppress(*ALL):
        names = [blob.name for blob in client.list_blobs(bucket, prefix=_folder(key), max_results=_LISTED, retry=None)]
        return StoreError(f"there is no object gs://{bucket}/{key}.{did_you_mean(key, names)}", hint=_beside(names))
    buckets: list[str] = []
    with suppress(*ALL):
        buckets = [found.name for found in client.list_buckets(max_results=_LISTED, retry=None)]
    what = f"there is no bucket '{bucket}' (while {doing}).{did_you_mean(bucket, buckets)}"
    hint = f"create it: gcloud storage buckets create gs://{bucket}"
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        hint = f"run first what fills it; or name it in a variable (bucket: {bucket}), whose buckets a run makes"
    return StoreError(what, hint=hint)


def _folder(key: str) -> str:
    folder, slash, _ = key.rpartition("/")
    return folder + slash


def _beside(names: list[str]) -> str:
    if not names:
        return "its folder is empty"
    return "beside it are: " + ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

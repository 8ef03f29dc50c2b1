"""Google's errors in words that say what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors

GOOGLE_ERRORS = (
    google_errors.GoogleAPICallError,
    google_errors.RetryError,
    auth_errors.GoogleAuthError,
    requests.RequestException,
)


@contextmanager
def explained(bucket: str, state: str) -> Iterator[None]:
    """Raise Google's errors as OSErrors that name the bucket and end with `state`: what holds now."""
    try:
        yield
    except GOOGLE_ERRORS as error:
        raise explanation(error, bucket, state) from error


def explanation(error: Exception, bucket: str, state: str = "") -> OSError:
    where, end = f"gs://{bucket}", f" ({state})" if state else ""
    if isinstance(error, google_errors.NotFound) and f"/b/{bucket}/o?" in str(error):
        return FileNotFoundError(
            f"{where}: there is no such bucket. Make it with `gcloud storage buckets create {where} --location=US`, "
            f"or set the variable bucket to one that is there{end}"
        )
    if isinstance(error, google_errors.Forbidden | google_errors.Unauthorized):
        return PermissionError(
            f"{where}: these credentials may not do that. Give their account the role Storage Object Admin "
            f"on the bucket{end}"
        )
    if isinstance(error, auth_errors.GoogleAuthError):
        return PermissionError(
            f"{where}: no usable credentials: {error}. Point GOOGLE_APPLICATION_CREDENTIALS to a key file, "
            f"or run `gcloud auth application-default login`{end}"
        )
    if isinstance(error, google_errors.PreconditionFailed):
        return OSError(f"{where}: another run replaces this table at the same time. Run again when it is done{end}")
    if isinstance(error, google_errors.ClientError) and not isinstance(error, google_errors.TooManyRequests):
        return OSError(f"{where}: Google answered {error.code} {error.message}{end}")
    return ConnectionError(f"{where}: no answer after trying for a minute ({_cause(error)}). Run it again later{end}")


def _cause(error: BaseException) -> str:
    cause = getattr(error, "cause", None) or error
    status = getattr(getattr(cause, "response", None), "status_code", None) or getattr(cause, "code", "")
    return f"{status} {type(cause).__name__}".strip()

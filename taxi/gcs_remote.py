"""A file in a Google Cloud Storage bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import requests
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.cloud import storage

from taxi.remotes import Answer, NotPublished, Unreachable, Version

_CHUNK_BYTES = 8 << 20
_TIMEOUT_S = 60
_ERRORS = (
    google_errors.GoogleAPICallError,
    google_errors.RetryError,
    auth_errors.GoogleAuthError,
    requests.RequestException,
)


class GcsRemote:
    """The object `path` below the prefix `gs://bucket/...`."""

    def __init__(self, prefix: str, path: str) -> None:
        parts = urlsplit(prefix)
        if not parts.netloc:
            raise ValueError("source: a gs:// prefix needs a bucket, as in gs://my-bucket/nyc-tlc-data")
        self._bucket = parts.netloc
        self._name = f"{parts.path.strip('/')}/{path}".lstrip("/")
        self.shown = f"gs://{self._bucket}/{self._name}"

    def ask(self, *, known: Version | None, partial: Version | None, start: int) -> Answer:
        try:
            with closing(_client()) as client:
                blob = client.bucket(self._bucket).get_blob(self._name, timeout=_TIMEOUT_S)
                there = blob is not None or self._has_bucket(client)
        except _ERRORS as error:
            raise self._refusal(error) from None
        if not there:
            raise OSError(f"{self.shown}: there is no bucket {self._bucket}. Check the source.")
        if blob is None:
            raise NotPublished(f"{self.shown}: there is no such object. Check the source.")
        version = Version(etag=str(blob.generation), size_bytes=blob.size, crc32c=blob.crc32c)
        if known and known.etag == version.etag:
            return Answer(version=version)
        start = start if partial and partial.etag == version.etag else 0
        return Answer(version=version, start=start, chunks=self._chunks(blob.generation, start))

    def _has_bucket(self, client: storage.Client) -> bool:
        """Whether it is there. Who may not list it, may not know; then it is taken for there."""
        try:
            next(iter(client.list_blobs(self._bucket, max_results=1, timeout=_TIMEOUT_S)), None)
        except google_errors.NotFound:
            return False
        except (google_errors.Forbidden, google_errors.Unauthorized):
            return True
        return True

    def _chunks(self, generation: int, start: int) -> Iterator[bytes]:
        try:
            with closing(_client()) as client:
                blob = client.bucket(self._bucket).blob(self._name)
                # raw_download: Google would unpack an object that is labelled as gzip.
                with blob.open(
                    "rb", raw_download=True, chunk_size=_CHUNK_BYTES, if_generation_match=generation
                ) as file:
                    file.seek(start)
                    while chunk := file.read(_CHUNK_BYTES):
                        yield chunk
        except _ERRORS as error:
            raise self._refusal(error) from None

    def _refusal(self, error: Exception) -> Exception:
        if isinstance(error, (google_errors.Forbidden, google_errors.Unauthorized)):
            return PermissionError(f"{self.shown}: it may not be read with these credentials.")
        if isinstance(error, auth_errors.GoogleAuthError):
            return PermissionError(f"{self.shown}: no valid credentials: {error}")
        if isinstance(error, google_errors.ClientError) and not isinstance(error, google_errors.TooManyRequests):
            return OSError(f"{self.shown}: Google answered {error.code} {error.message}")
        return Unreachable(f"{self.shown}: {type(error).__name__}")


def _client() -> storage.Client:
    """A client with the credentials that are there; a public bucket needs none."""
    try:
        return storage.Client()
    except auth_errors.DefaultCredentialsError:
        return storage.Client.create_anonymous_client()

"""The connector to Google Cloud Storage, with Mage's names and signatures."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

from mage_project.errors import StoreError
from mage_project.io import commits, objects
from mage_project.io import credentials as accounts

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

#: How long a request that fails in a way that may pass is tried again, in seconds.
RETRY_S = 60.0


class GoogleCloudStorage:
    """Objects in buckets. Nothing is asked of Google before the first use."""

    def __init__(
        self,
        verbose: bool = False,
        credentials: Any = None,
        credentials_mapping: Any = None,
        path_to_credentials: str | os.PathLike[str] | None = None,
        project: str | None = None,
        retry_s: float = RETRY_S,
        **kwargs: Any,
    ) -> None:
        """Who connects: `credentials`, else a key, else a key file, else the environment's or the machine's account.

        Where STORAGE_EMULATOR_HOST is set nobody is asked. What fails in passing is tried again for `retry_s`
        seconds. Further arguments go to google.cloud.storage.Client.
        """
        self.verbose = verbose
        self.retry_s = retry_s
        self._credentials = credentials
        self._mapping = credentials_mapping
        self._path = path_to_credentials
        self._project = project
        self._options = kwargs

    @classmethod
    def with_config(cls, config: Any, **kwargs: Any) -> Self:
        """The store of a profile; without credentials in it, the environment's or the machine's."""
        return cls(**{**accounts.of_profile(config), **kwargs})

    def __repr__(self) -> str:
        return f"GoogleCloudStorage(project={self._project!r})"

    @cached_property
    def client(self) -> Any:
        """Google's own client. Raises ConfigError if there are no usable credentials."""
        from google.cloud import storage

        emulated = bool(os.environ.get("STORAGE_EMULATOR_HOST"))
        credentials = self._credentials
        if credentials is None:
            credentials = accounts.anonymous() if emulated else accounts.find(self._mapping, self._path)
        project = self._project or os.environ.get("GOOGLE_CLOUD_PROJECT") or getattr(credentials, "project_id", None)
        with commits.connecting():
            client = storage.Client(
                project=project or ("local" if emulated else None), credentials=credentials, **self._options
            )
        weakref.finalize(self, client.close)  # blocks never close a connector: its sockets go when it goes
        return client

    def load(
        self,
        bucket_name: str,
        object_key: str,
        format: str | None = None,
        limit: int | None = None,
        **kwargs: Any,
    ) -> pd.DataFrame:
        """The frame in an object, at most `limit` rows of it. `kwargs` go to pandas' reader.

        Raises StoreError if there is no such object or bucket, StoreUnavailable if Google cannot be reached.
        """

        def fetch(file: Path) -> None:
            with self._telling(f"loading gs://{bucket_name}/{object_key}", bucket_name, object_key):
                self._blob(bucket_name, object_key).download_to_filename(file, retry=self._retry, checksum="auto")

        return objects.frame_of(object_key, format, limit, kwargs, fetch)

    def export(
        self,
        data: Any,
        bucket_name: str,
        object_key: str,
        format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a frame, an iterator of frames (batch by batch) or the file at a path to an object.

        The object appears, or replaces an older one, only when all of it has arrived with the right checksum; where
        commits are collected, only when those are made. `kwargs` go to pandas' writer. Raises StoreError and
        StoreUnavailable, with the object as it was, and whatever the iterator raises.
        """
        from mage_project.io.uploading import Upload

        name = f"gs://{bucket_name}/{object_key}"
        blob = self._blob(bucket_name, object_key)
        telling = partial(self._telling, f"exporting {name}", bucket_name, object_key)
        with objects.file_of(data, object_key, format, kwargs) as file, telling():
            upload = Upload(blob, file, retry=self._retry)
        objects.hand_over(upload, name, telling)

    def exists(self, bucket_name: str, prefix: str) -> bool:
        """Whether there is an object of exactly this name. Raises StoreError if there is no such bucket."""
        commits.settle()
        with self._telling(f"looking for gs://{bucket_name}/{prefix}", bucket_name, prefix):
            blob = self._blob(bucket_name, prefix)
            if blob.exists(retry=self._retry):
                return True
            self.client.get_bucket(bucket_name, retry=self._retry)
            return False

    # -- within

    @property
    def _retry(self) -> Any:
        from google.cloud.storage.retry import DEFAULT_RETRY

        return DEFAULT_RETRY.with_timeout(self.retry_s)

    def _blob(self, bucket_name: str, key: str) -> Any:
        if not bucket_name or not key:
            raise StoreError(f"gs://{bucket_name}/{key} lacks the name of the {'object' if bucket_name else 'bucket'}")
        parts = key.split("/")
        if ".." in parts or "." in parts or "\n" in key or "\r" in key or len(key.encode()) > objects.KEY_BYTES:
            what = f"'{key:.80}' cannot be the name of an object"
            raise StoreError(what, hint="no '.' or '..' between slashes, no line ends, at most 1,024 bytes")
        return self.client.bucket(bucket_name).blob(key)

    @contextmanager
    def _telling(self, doing: str, bucket: str, key: str) -> Iterator[None]:
        """Google's errors as ours."""
        from mage_project.io import google_errors

        try:
            yield
        except google_errors.ALL as error:
            raise google_errors.told(error, self.client, doing, bucket, key) from error

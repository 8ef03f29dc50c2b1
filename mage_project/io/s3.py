"""The connector to Amazon S3 and stores like it, with Mage's names and signatures."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

from mage_project.errors import ConfigError, StoreError
from mage_project.io import commits, objects
from mage_project.io.config import setting
from mage_project.io.config_keys import ConfigKey

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

#: What of a profile goes to boto3, by its names.
_SETTINGS = {
    "aws_access_key_id": ConfigKey.AWS_ACCESS_KEY_ID,
    "aws_secret_access_key": ConfigKey.AWS_SECRET_ACCESS_KEY,
    "aws_session_token": ConfigKey.AWS_SESSION_TOKEN,
    "region_name": ConfigKey.AWS_REGION,
    "endpoint_url": ConfigKey.AWS_ENDPOINT,
}
_ATTEMPTS = 5


class S3:
    """Objects in buckets. Nothing is asked of the store before the first use."""

    def __init__(self, verbose: bool = False, **kwargs: Any) -> None:
        """`kwargs` go to boto3's client; what they leave out comes from the environment, `~/.aws` or the machine.

        AWS_ENDPOINT_URL names another store than Amazon's.
        """
        self.verbose = verbose
        self._options = kwargs

    @classmethod
    def with_config(cls, config: Any, **kwargs: Any) -> Self:
        """The store of a profile; what the profile leaves out comes from the environment or the machine."""
        given = {name: setting(config, key) for name, key in _SETTINGS.items()}
        return cls(**{**{name: value for name, value in given.items() if value is not None}, **kwargs})

    def __repr__(self) -> str:
        return f"S3(endpoint_url={self._options.get('endpoint_url')!r})"

    @cached_property
    def client(self) -> Any:
        """boto3's own client. Raises ConfigError without boto3."""
        try:
            from boto3.session import Session
            from botocore.config import Config
        except ImportError as error:
            raise ConfigError("S3 needs boto3", hint="pip install 'mage-project[s3]'") from error
        retries = Config(retries={"mode": "standard", "total_max_attempts": _ATTEMPTS}, connect_timeout=10)
        # A session of its own: boto3's common one remembers the credentials that the environment had before.
        client: Any = Session().client("s3", **{"config": retries, **self._options})
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

        Raises StoreError if there is no such object or bucket, StoreUnavailable if the store cannot be reached.
        """

        def fetch(file: Path) -> None:
            with self._telling(f"loading s3://{bucket_name}/{object_key}", bucket_name, object_key):
                self.client.download_file(bucket_name, object_key, str(file))

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

        The object appears, or replaces an older one, only when all of it has arrived; where commits are collected,
        only when those are made. `kwargs` go to pandas' writer. Raises StoreError and StoreUnavailable, with the
        object as it was, and whatever the iterator raises.
        """
        from mage_project.io.s3_uploading import Upload

        name = f"s3://{bucket_name}/{object_key}"
        _check_key(bucket_name, object_key)
        telling = partial(self._telling, f"exporting {name}", bucket_name, object_key)
        with objects.file_of(data, object_key, format, kwargs) as file, telling():
            upload = Upload(self.client, bucket_name, object_key, file)
        objects.hand_over(upload, name, telling)

    def exists(self, bucket_name: str, prefix: str) -> bool:
        """Whether an object's name begins so, as in Mage. Raises StoreError if there is no such bucket."""
        commits.settle()
        with self._telling(f"looking for s3://{bucket_name}/{prefix}", bucket_name, prefix):
            found = self.client.list_objects_v2(Bucket=bucket_name, Prefix=prefix, MaxKeys=1)
        return int(found["KeyCount"]) > 0

    @contextmanager
    def _telling(self, doing: str, bucket: str, key: str) -> Iterator[None]:
        """boto3's errors as ours."""
        client = self.client
        from mage_project.io import s3_errors

        try:
            yield
        except s3_errors.ALL as error:
            raise s3_errors.told(error, client, doing, bucket, key) from error


def _check_key(bucket: str, key: str) -> None:
    if not bucket or not key:
        raise StoreError(f"s3://{bucket}/{key} lacks the name of the {'object' if bucket else 'bucket'}")
    if len(key.encode()) > objects.KEY_BYTES:
        raise StoreError(f"'{key:.80}…' cannot be the name of an object", hint="at most 1,024 bytes")

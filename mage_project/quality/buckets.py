"""Rows in objects of Google Cloud Storage, one object after another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from mage_project.errors import StoreError
from mage_project.io.google_cloud_storage import GoogleCloudStorage
from mage_project.quality import files


def tables(place: str, config: Any) -> Iterator[pa.Table]:
    """The rows of the object, or of all objects below it. `place`: `bucket/prefix`.

    Raises StoreError where there are none.
    """
    from mage_project.io import google_errors

    bucket, _, prefix = place.partition("/")
    client = GoogleCloudStorage.with_config(config).client
    try:
        found = sorted(_named(client.list_blobs(bucket, prefix=prefix), prefix), key=lambda blob: blob.name)
        if not found:
            raise StoreError(f"there are no objects below gs://{place}")
        with tempfile.TemporaryDirectory(prefix="mage-project-object-") as folder:
            for blob in found:
                path = Path(folder) / "object"
                blob.download_to_filename(path)
                below = PurePosixPath(blob.name.removeprefix(prefix)).parent
                for table in files.in_file(path, blob.name, f"gs://{bucket}/{blob.name}"):
                    yield files.with_columns(table, files.partition_of(str(below)))
    except google_errors.ALL as error:
        raise google_errors.told(error, client, f"reading gs://{place}", bucket, prefix) from error
    finally:
        client.close()


def _named(blobs: Any, prefix: str) -> Iterator[Any]:
    """The object itself, or what is below it as in a folder: `lake/green` does not name `lake/green_old/…`."""
    for blob in blobs:
        rest = blob.name.removeprefix(prefix)
        inside = not prefix or not rest or prefix.endswith("/") or rest.startswith("/")
        if inside and not blob.name.endswith("/") and not files.is_hidden(Path(rest.strip("/"))):
            yield blob

"""Looks at objects in Google Cloud Storage: `gs://bucket/name`, `gs://bucket/folder/`, `gs://bucket/*.parquet`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import translate
from pathlib import Path
from typing import Any

from mage_project.errors import MageProjectError
from mage_project.schedule.watch.sightings import CannotLook, Sighting

_TIMEOUT_S = 20.0
_MAGIC = re.compile(r"[*?\[]")
_FIELDS = "items(name,generation,size,updated),nextPageToken"


def look(root: Path, address: str, names: Mapping[str, str], *, local: bool) -> list[Sighting]:
    """What is there, as the default profile of io_config.yaml may see it; with `local` in the local stack.

    `CannotLook` where the store cannot be asked.
    """
    bucket, _, name = address.removeprefix("gs://").partition("/")
    pattern = re.compile(translate(f"{name}*" if name.endswith("/") or not name else name))
    prefix = _MAGIC.split(name)[0]
    try:
        store = _store(root, local=local)
        blobs = store.client.list_blobs(bucket, prefix=prefix or None, fields=_FIELDS, timeout=_TIMEOUT_S, retry=None)
        return [_sighting(bucket, blob, names) for blob in blobs if pattern.match(blob.name)]
    except MageProjectError as error:
        raise CannotLook(f"{address}: {error.what}") from error
    except ModuleNotFoundError as error:
        raise CannotLook(f"{address}: pip install 'mage-project[gcs]'") from error
    except Exception as error:
        if _is_absent(error):
            return []
        raise CannotLook(f"{address}: {' '.join(str(error).split())}") from error


def _store(root: Path, *, local: bool) -> Any:
    from mage_project.io import credentials
    from mage_project.io.config import ConfigFileLoader
    from mage_project.io.google_cloud_storage import GoogleCloudStorage
    from mage_project.runner import services

    if not services.is_local("gcs", root, local=local):
        path = root / "io_config.yaml"
        if not path.is_file():
            return GoogleCloudStorage()
        return GoogleCloudStorage.with_config(ConfigFileLoader(path, "default"))
    url = services.local_address("gcs", root)
    if url is None:
        raise CannotLook("the local GCS does not run: mage-project local up")
    return GoogleCloudStorage(
        credentials=credentials.anonymous(), project="local", client_options={"api_endpoint": url}
    )


def _sighting(bucket: str, blob: Any, names: Mapping[str, str]) -> Sighting:
    address = f"gs://{bucket}/{blob.name}"
    return Sighting(address=address, version=str(blob.generation), size=blob.size, modified=blob.updated, names=names)


def _is_absent(error: Exception) -> bool:
    """Whether the bucket is not there (yet)."""
    return getattr(error, "code", None) == 404

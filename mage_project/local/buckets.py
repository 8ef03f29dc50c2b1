"""Buckets and objects of the local GCS server, over its JSON API."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from mage_project.local.gcs import bucket_name
from mage_project.local.rest import status

_SERVER = "GCS"
_NOT_FOUND = 404
_EXISTS = 409


def create_missing(url: str, names: Iterable[str]) -> list[str]:
    """Makes the buckets that are not there yet; their names. Raises StoreError or StoreUnavailable."""
    return [name for name in dict.fromkeys(names) if _create(url, bucket_name(name))]


def has_object(url: str, bucket: str, name: str) -> bool:
    """Whether the object is there; raises StoreError or StoreUnavailable."""
    request = urllib.request.Request(f"{url}/storage/v1/b/{quote(bucket)}/o/{quote(name, safe='')}")  # noqa: S310
    return status(request, _SERVER, accepted=(_NOT_FOUND,)) != _NOT_FOUND


def upload(url: str, bucket: str, name: str, path: Path) -> None:
    """Makes an object of the file; raises StoreError or StoreUnavailable."""
    with path.open("rb") as content:
        request = urllib.request.Request(  # noqa: S310 (the scheme is ours)
            f"{url}/upload/storage/v1/b/{quote(bucket)}/o?uploadType=media&name={quote(name, safe='')}",
            data=content,
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)},
        )
        status(request, _SERVER)


def _create(url: str, name: str) -> bool:
    request = urllib.request.Request(  # noqa: S310
        f"{url}/storage/v1/b?project=local",
        data=json.dumps({"name": name}).encode(),
        headers={"Content-Type": "application/json"},
    )
    return status(request, _SERVER, accepted=(_EXISTS,)) != _EXISTS

"""Buckets and objects of the local GCS server, over its JSON API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.local.gcs import bucket_name

_TIMEOUT_S = 30
_NOT_FOUND = 404
_EXISTS = 409


def create_missing(url: str, names: Iterable[str]) -> list[str]:
    """Makes the buckets that are not there yet; their names. Raises StoreError or StoreUnavailable."""
    return [name for name in dict.fromkeys(names) if _create(url, bucket_name(name))]


def has_object(url: str, bucket: str, name: str) -> bool:
    """Whether the object is there; raises StoreError or StoreUnavailable."""
    request = urllib.request.Request(f"{url}/storage/v1/b/{quote(bucket)}/o/{quote(name, safe='')}")  # noqa: S310
    return _status(request, accepted=(_NOT_FOUND,)) != _NOT_FOUND


def upload(url: str, bucket: str, name: str, path: Path) -> None:
    """Makes an object of the file; raises StoreError or StoreUnavailable."""
    with path.open("rb") as content:
        request = urllib.request.Request(  # noqa: S310 (the scheme is ours)
            f"{url}/upload/storage/v1/b/{quote(bucket)}/o?uploadType=media&name={quote(name, safe='')}",
            data=content,
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)},
        )
        _status(request)


def _create(url: str, name: str) -> bool:
    request = urllib.request.Request(  # noqa: S310
        f"{url}/storage/v1/b?project=local",
        data=json.dumps({"name": name}).encode(),
        headers={"Content-Type": "application/json"},
    )
    return _status(request, accepted=(_EXISTS,)) != _EXISTS


def _status(request: urllib.request.Request, accepted: tuple[int, ...] = ()) -> int:
    """The status of the answer: a success, or one of those accepted."""
    # A proxy of the environment is for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in accepted:
                return error.code
            raise StoreError(
                f"The local GCS server refused: {error.code} {error.read().decode(errors='replace').strip()}",
                where=request.full_url,
            ) from error
    except OSError as error:
        raise StoreUnavailable(f"The local GCS server does not answer: {error}", where=request.full_url) from error

"""Buckets of the local GCS server, over its JSON API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.local.gcs import bucket_name

_TIMEOUT_S = 30
_EXISTS = 409


def create_missing(url: str, names: Iterable[str]) -> list[str]:
    """Makes the buckets that are not there yet; their names. Raises StoreError or StoreUnavailable."""
    return [name for name in dict.fromkeys(names) if _create(url, bucket_name(name))]


def _create(url: str, name: str) -> bool:
    request = urllib.request.Request(  # noqa: S310 (the scheme is ours)
        f"{url}/storage/v1/b?project=local",
        data=json.dumps({"name": name}).encode(),
        headers={"Content-Type": "application/json"},
    )
    # A proxy of the environment is for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_S):
            return True
    except urllib.error.HTTPError as error:
        with error:
            if error.code == _EXISTS:
                return False
            raise StoreError(f"The bucket {name!r} cannot be made: {error.read().decode()}", where=url) from error
    except OSError as error:
        raise StoreUnavailable(f"The local GCS server does not answer: {error}", where=url) from error

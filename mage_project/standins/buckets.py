"""Buckets of the local GCS server, made when a block first uses them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

_BUCKET = re.compile(r"/b/([^/?]+)(/.*)?$")


class Buckets:
    """Knows which buckets are there, makes the others, and says so."""

    def __init__(self, url: str, said: Callable[[str], None]) -> None:
        self.url = url
        self._said = said
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def ensure(self, name: str) -> None:
        """Make the bucket unless it is there. Raises ConfigError for an impossible name, StoreUnavailable."""
        from mage_project.local import buckets

        with self._lock:
            if name in self._known:
                return
            if buckets.create_missing(self.url, (name,)):
                self._said(f"GCS: made the local bucket '{name}'")
            self._known.add(name)

    def ensure_for(self, method: str, url: str) -> None:
        """Make the bucket that a request to the JSON API uses, unless the request only reads or deletes in it.

        Looking for objects makes no bucket: a name that is mistyped is to be an error.
        https://cloud.google.com/storage/docs/json_api/v1
        """
        found = _BUCKET.search(urlsplit(url).path)
        if not found:
            return
        asks_for_it = method == "GET" and not found[2]
        if asks_for_it or method in ("POST", "PUT", "PATCH"):
            self.ensure(unquote(_target(found[1], found[2] or "")))

    def forget(self) -> None:
        """Look again at the next use: somebody deleted one."""
        with self._lock:
            self._known.clear()


def _target(bucket: str, rest: str) -> str:
    """The bucket that a request writes to: for a copy, the one behind `copyTo` or `rewriteTo`."""
    copied = re.search(r"/(?:copyTo|rewriteTo)/b/([^/?]+)/", rest)
    return copied[1] if copied else bucket

"""Datasets of the local BigQuery, made when a block first uses them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from mage_project.standins.sql_targets import written

_PATH = re.compile(
    r"/projects/(?P<project>[^/]+)/(?P<what>datasets|jobs|queries)(?:/(?P<dataset>[^/]+))?(?P<rest>/.*)?$"
)


class Datasets:
    """Knows which datasets are there, makes the others, and says so."""

    def __init__(self, url: str, said: Callable[[str], None]) -> None:
        self.url = url
        self._said = said
        self._known: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def ensure(self, project: str, name: str) -> None:
        """Make the dataset unless it is there. Raises ConfigError for an impossible name, StoreUnavailable."""
        from mage_project.local import datasets

        with self._lock:
            if (project, name) in self._known or name.startswith("_"):  # _SESSION and the like are BigQuery's own
                return
            if datasets.create_missing(self.url, project, (name,)):
                self._said(f"BigQuery: made the local dataset '{project}.{name}'")
            self._known.add((project, name))

    def ensure_for(self, method: str, url: str, data: Any) -> None:
        """Make the datasets that a request to the REST API writes to or asks for.

        Reading a table makes none: a name that is mistyped is to be an error.
        https://cloud.google.com/bigquery/docs/reference/rest
        """
        if method == "DELETE":
            with self._lock:
                self._known.clear()
            return
        found = _PATH.search(urlsplit(url).path)
        if found:
            for project, name in _targets(method, found, data):
                self.ensure(project, name)


def _targets(method: str, found: re.Match[str], data: Any) -> Iterator[tuple[str, str]]:
    project = unquote(found["project"])
    if found["what"] == "datasets":
        asks_for_it = method == "GET" and not found["rest"]
        makes_a_table = method == "POST" and (found["rest"] or "").rstrip("/") in ("/tables", "/models", "/routines")
        if found["dataset"] and (asks_for_it or makes_a_table):
            yield project, unquote(found["dataset"])
    elif method == "POST" and not found["dataset"]:
        yield from _of_job(_document(data), project)


def _of_job(request: Mapping[str, Any], project: str) -> Iterator[tuple[str, str]]:
    """Where a job's configuration (or a plain query) puts its result."""
    configuration = request.get("configuration") or {"query": request}
    for kind in ("load", "query", "copy"):
        part = configuration.get(kind) or {}
        table = part.get("destinationTable")
        if table:
            yield table.get("projectId") or project, table["datasetId"]
        if kind == "query" and isinstance(part.get("query"), str):
            default = (part.get("defaultDataset") or {}).get("projectId") or project
            yield from written(part["query"], default)


def _document(data: Any) -> Mapping[str, Any]:
    """The JSON of a request, also where it is the first part of an upload with several."""
    if isinstance(data, str):
        data = data.encode()
    if not isinstance(data, bytes):
        return {}
    if data.startswith(b"--"):
        data = data.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
    try:
        document = json.loads(data)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}

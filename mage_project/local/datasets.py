"""Datasets of the local BigQuery, over its REST API."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterable

from mage_project.errors import ConfigError
from mage_project.local.rest import status

_EXISTS = 409
_NAME = re.compile(r"[A-Za-z0-9_]{1,1024}")


def create_missing(url: str, project: str, names: Iterable[str]) -> list[str]:
    """Makes the datasets that are not there yet; their names. Raises StoreError or StoreUnavailable."""
    return [name for name in dict.fromkeys(names) if _create(url, project, dataset_name(name))]


def dataset_name(name: str) -> str:
    """The name, if a dataset may be called so; raises ConfigError."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"A dataset cannot be called {name!r}.", hint="Use letters, digits and '_', at most 1,024.")
    return name


def _create(url: str, project: str, name: str) -> bool:
    request = urllib.request.Request(  # noqa: S310 (the scheme is ours)
        f"{url}/bigquery/v2/projects/{project}/datasets",
        data=json.dumps({"datasetReference": {"projectId": project, "datasetId": name}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    return status(request, "BigQuery", accepted=(_EXISTS,)) != _EXISTS

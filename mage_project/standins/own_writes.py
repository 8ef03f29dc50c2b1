"""What a block wrote by a connector is there when it reads by a client of its own."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from mage_project.io import commits
from mage_project.standins.patches import Patches

__all__ = ["seen"]

#: Where connections begin: module, class or nothing, function. SQLAlchemy and pandas connect by psycopg2.
_BEGINNINGS = (
    ("psycopg2", None, "_connect"),
    ("google.cloud.storage.client", "Client", "__init__"),
    ("google.cloud.bigquery.client", "Client", "__init__"),
)


@contextmanager
def seen() -> Iterator[None]:
    """Inside, connectors' commits that wait in a block are made before it opens a connection of its own."""
    patches = Patches()
    try:
        for module, owner, name in _BEGINNINGS:
            patches.when_imported(module, functools.partial(_settle_before, owner, name))
        patches.begin()
        yield
    finally:
        patches.end()


def _settle_before(owner: str | None, name: str, module: ModuleType, patches: Patches) -> None:
    place: Any = module if owner is None else getattr(module, owner)
    real = getattr(place, name, None)
    if real is None:
        return

    @functools.wraps(real)
    def begin(*args: Any, **kwargs: Any) -> Any:
        commits.settle()
        return real(*args, **kwargs)

    patches.replace(place, name, begin)

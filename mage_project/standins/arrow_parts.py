"""pyarrow's parts that a block uses without importing them: in Mage they are imported before the first block is."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from mage_project.standins.patches import Patches

__all__ = ["reachable"]

_PARTS = ("compute", "csv", "dataset", "feather", "fs", "json", "parquet")


@contextmanager
def reachable() -> Iterator[None]:
    """Inside, `pyarrow.fs` and the like are imported when they are first asked for."""
    patches = Patches()
    try:
        patches.when_imported("pyarrow", _answer)
        patches.begin()
        yield
    finally:
        patches.end()


def _answer(pyarrow: ModuleType, patches: Patches) -> None:
    def part(name: str) -> ModuleType:
        if name not in _PARTS:
            raise AttributeError(f"module 'pyarrow' has no attribute {name!r}")
        return importlib.import_module(f"pyarrow.{name}")

    patches.add(pyarrow, "__getattr__", part)

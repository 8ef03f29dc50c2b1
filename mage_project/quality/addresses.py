"""What `--data` and a rule's `to` name: files, a bucket, a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mage_project.errors import ConfigError, StoreError
from mage_project.io import formats

Store = Literal["files", "gcs", "bigquery", "postgres"]


@dataclass(frozen=True, kw_only=True)
class Address:
    """`name` is a path, `bucket/prefix`, or the name of a table with its schema or dataset."""

    store: Store
    name: str


def address_of(text: str, root: Path) -> Address:
    """`gs://bucket/prefix`, `bigquery:dataset.table`, a path, or `schema.table` (or `postgres:schema.table`).

    A path (from the root) is what is there, or has a slash or the ending of a file. Raises ConfigError for neither.
    """
    for prefix, store in _PREFIXES.items():
        if text.startswith(prefix):
            return Address(store=store, name=text.removeprefix(prefix))
    if (root / text).exists() or "/" in text or _has_ending(text):
        return Address(store="files", name=str(root / text))
    if text.count(".") == 1 and all(text.split(".")):
        return Address(store="postgres", name=text)
    hint = "schema.table, bigquery:dataset.table, a file or folder, or gs://bucket/prefix"
    raise ConfigError(f"'{text}' is no file here, and no table with its schema", hint=hint)


_PREFIXES: dict[str, Store] = {"gs://": "gcs", "bigquery:": "bigquery", "postgres:": "postgres"}


def _has_ending(text: str) -> bool:
    try:
        formats.format_of(text)
    except StoreError:
        return False
    return True

"""Where rows come from that are no output of a block: any address, as Arrow tables in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from mage_project.io.config import ConfigFileLoader
from mage_project.quality import files
from mage_project.quality.addresses import Address, address_of


def tables(text: str, root: Path, profile: str = "default") -> Iterator[pa.Table]:
    """The rows at an address. Raises StoreError where there are none to be had, ConfigError for what is no address."""
    address = address_of(text, root)
    if address.store == "files":
        return files.tables(Path(address.name))
    config = ConfigFileLoader(root / "io_config.yaml", profile)
    return _STORES[address.store](address, config)


def _gcs(address: Address, config: Any) -> Iterator[pa.Table]:
    from mage_project.quality.buckets import tables

    return tables(address.name, config)


def _bigquery(address: Address, config: Any) -> Iterator[pa.Table]:
    from mage_project.quality.warehouses import tables

    return tables(address.name, config)


def _postgres(address: Address, config: Any) -> Iterator[pa.Table]:
    from mage_project.quality.databases import tables

    return tables(address.name, config)


_STORES = {"gcs": _gcs, "bigquery": _bigquery, "postgres": _postgres}

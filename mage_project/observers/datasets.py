"""Names of files and tables as OpenLineage has them: https://openlineage.io/docs/spec/naming"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

#: What the connectors say that they have committed: `schema.table at host:port/database`.
_IN_POSTGRES = re.compile(r"(?P<table>.+) at (?P<server>[^/\s]+)/(?P<database>[^/\s]+)")
_IN_BIGQUERY = re.compile(r"[\w-]+(?:\.[\w$-]+){2}")


class Name(NamedTuple):
    """Where it is, and what it is called there."""

    namespace: str
    name: str


def name_of_file(file: Mapping[str, Any]) -> Name:
    """A file as a block describes it: by its address, its path, or nothing but its name."""
    said = str(file.get("url") or file.get("path") or file.get("name") or "unknown")
    return _by_address(said) or Name("file", said)


def name_of_target(written: str) -> Name:
    """What a connector says that it has committed."""
    if found := _by_address(written):
        return found
    if table := _IN_POSTGRES.fullmatch(written):
        return Name(f"postgres://{table['server']}", f"{table['database']}.{table['table']}")
    if written.startswith("the file "):
        return Name("file", written.removeprefix("the file "))
    if written.startswith("DuckDB "):
        return Name("duckdb", written.removeprefix("DuckDB "))
    return Name("bigquery" if _IN_BIGQUERY.fullmatch(written) else "mage-project", written)


def _by_address(text: str) -> Name | None:
    """`scheme://host/path`, without what lets anybody in: passwords and signatures are no part of a name."""
    parts = urlsplit(text) if "://" in text else None
    if parts is None or not parts.scheme:
        return None
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "file":
        return Name("file", parts.path)
    path = parts.path if parts.scheme in ("http", "https") else parts.path.lstrip("/")
    return Name(f"{parts.scheme}://{host}", path or "/")

"""What blocks do without Mage's connectors, on the local servers: while a run uses those, and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from mage_project.standins.patches import Patches

__all__ = ["standing_in"]


@contextmanager
def standing_in(
    services: Sequence[str],
    env: Mapping[str, str],
    *,
    takes_all: bool,
    schemas: Sequence[str] = (),
    missing: Mapping[str, str] | None = None,
    said: Callable[[str], None],
) -> Iterator[None]:
    """Inside, the libraries that blocks use reach those of the local services that are named.

    `env` says where these are, as LocalStack.env does. `takes_all`: also where a block names another Postgres server.
    `schemas` are made in every database of the local Postgres that is used. `missing`: services that cannot run here,
    and why; a block that uses one gets that as its error. `said` is told what was made.
    """
    patches = Patches()
    try:
        if "postgres" in services:
            _postgres(patches, env, takes_all=takes_all, schemas=schemas, said=said)
        if "gcs" in services:
            _gcs(patches, env, said)
        if "bigquery" in services:
            _bigquery(patches, env, said)
        for name, lack in (missing or {}).items():
            _refuse(patches, name, lack)
        patches.begin()
        yield
    finally:
        patches.end()


def _postgres(
    patches: Patches,
    env: Mapping[str, str],
    *,
    takes_all: bool,
    schemas: Sequence[str],
    said: Callable[[str], None],
) -> None:
    from mage_project.standins import postgres_drivers
    from mage_project.standins.databases import Databases

    postgres_drivers.patch(patches, Databases(env, takes_all=takes_all, schemas=schemas, said=said))


def _gcs(patches: Patches, env: Mapping[str, str], said: Callable[[str], None]) -> None:
    from mage_project.standins import arrow, cloud_storage, fsspec_gcs, google_accounts
    from mage_project.standins.buckets import Buckets

    buckets = Buckets(env["STORAGE_EMULATOR_HOST"], said)
    google_accounts.patch(patches)
    cloud_storage.patch(patches, buckets)
    arrow.patch(patches, buckets)
    fsspec_gcs.patch(patches, buckets)


def _bigquery(patches: Patches, env: Mapping[str, str], said: Callable[[str], None]) -> None:
    from mage_project.standins import bigquery, google_accounts
    from mage_project.standins.datasets import Datasets

    google_accounts.patch(patches)
    bigquery.patch(patches, Datasets(env["BIGQUERY_EMULATOR_HOST"], said))


def _refuse(patches: Patches, name: str, lack: str) -> None:
    from mage_project.standins import bigquery, google_accounts

    if name == "bigquery":
        google_accounts.patch(patches)
        bigquery.refuse(patches, lack)

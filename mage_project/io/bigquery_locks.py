"""One run at a time puts rows into a table of BigQuery: whoever does holds a table beside it, which expires by itself.

BigQuery has no lock of its own, and a merge without DML reads the table and writes it: of two at once the later one
would undo the other. Making a table that is there fails, for one of two who try; a change can be bound to the table's
etag. That is enough for a lock, on any machine, with no rights that staging does not need.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core import exceptions as api

from mage_project.errors import StoreUnavailable
from mage_project.io import holders
from mage_project.io.bigquery_errors import ALL
from mage_project.io.bigquery_jobs import retry
from mage_project.io.bigquery_tables import TableName

log = logging.getLogger(__name__)

PREFIX = "_mage_project_lock_"
#: How long a run holds it that does not come back; one that works says so anew in time.
LIFE = timedelta(minutes=5)
#: How long others wait: longer than a lock lives that nobody holds any more.
_PATIENCE_S = LIFE.total_seconds() + 60
_LOOK_S = 1.0


class Overtaken(StoreUnavailable):
    """Another run writes the table, or has changed it: nothing was written, and it is to be done again."""


class Lock:
    """Held by this process from its making to `release`. `renew` while it takes long."""

    def __init__(self, client: Any, target: TableName, *, retry_s: float) -> None:
        """Raises Overtaken where others do not let go."""
        self._client, self._target, self._retry_s = client, target, retry_s
        self._name = target.beside(f"{PREFIX}{hashlib.sha256(target.table.encode()).hexdigest()[:16]}")
        self._table = self._taken()

    def renew(self) -> None:
        """It is still needed."""
        with suppress(*ALL):  # it lives for some time yet, and the job goes on whatever becomes of it
            self._table.expires = datetime.now(UTC) + LIFE
            self._table = self._client.update_table(self._table, ["expires"], retry=retry(self._retry_s))

    def release(self) -> None:
        """Let others in. Where that fails it expires by itself."""
        with suppress(*ALL):
            self._client.delete_table(str(self._name), not_found_ok=True, retry=retry(self._retry_s))

    # -- within

    def _taken(self) -> Any:
        until, told = time.monotonic() + _PATIENCE_S, False
        while True:
            mine = self._made() or self._followed()
            if mine is not None:
                return mine
            if time.monotonic() > until:
                what = f"{self._target} has been written by another run for {_PATIENCE_S / 60:.0f} minutes"
                raise Overtaken(what, hint="run it again when that one has ended")
            if not told:
                print(f"BigQuery: {self._target} is being written by {self._holder()}: waiting until that has ended")
                told = True
            time.sleep(_LOOK_S)

    def _made(self) -> Any:
        try:
            return self._client.create_table(self._fresh(), retry=retry(self._retry_s))
        except api.Conflict:
            return None

    def _fresh(self) -> Any:
        from google.cloud.bigquery import Table

        table = Table(str(self._name))
        table.description = holders.name().removeprefix("mage-project ")
        table.expires = datetime.now(UTC) + LIFE
        return table

    def _followed(self) -> Any:
        """The lock of a run that is gone, as ours; None where somebody holds it, or was faster."""
        there = self._there()
        if there is None or there.expires is None or there.expires > datetime.now(UTC):
            return None
        there.description, there.expires = self._fresh().description, datetime.now(UTC) + LIFE
        try:
            return self._client.update_table(there, ["description", "expires"], retry=retry(self._retry_s))
        except (api.PreconditionFailed, api.NotFound):
            return None

    def _holder(self) -> str:
        there = self._there()
        return (there and there.description) or "another run"

    def _there(self) -> Any:
        try:
            return self._client.get_table(str(self._name), retry=retry(self._retry_s))
        except api.NotFound:
            return None


@contextmanager
def alone(client: Any, target: TableName, *, retry_s: float) -> Iterator[Lock]:
    """Inside, no other run puts rows into the table. Raises Overtaken where others do not let go."""
    lock = Lock(client, target, retry_s=retry_s)
    try:
        yield lock
    finally:
        lock.release()

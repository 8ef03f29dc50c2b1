"""One run at a time puts rows into a table of BigQuery: whoever does holds a table beside it, which expires by itself.

BigQuery has no lock of its own, and a merge without DML reads the table and writes it: of two at once the later one
would undo the other. Making a table that is there fails, for one of two who try; a change can be bound to the table's
etag. That is enough for a lock, on any machine, with no rights that staging does not need. A label with a random value
says whose it is: an answer that was lost is found out by looking, and nobody touches what others hold.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections import Counter
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

PREFIX = "_mage_project_lock_"
#: How long a run holds it that does not come back; one that works says so anew in time.
LIFE = timedelta(minutes=5)
#: How long others wait for one holder that says nothing: longer than a lock lives that nobody holds any more.
_PATIENCE_S = LIFE.total_seconds() + 60
_LOOK_S = 1.0
#: The label that says whose it is.
_OWNER = "mage_project_owner"

_thread = threading.local()
#: How often each owner has each lock.
_uses: Counter[tuple[str, str]] = Counter()
_counting = threading.Lock()


class Overtaken(StoreUnavailable):
    """Another run writes the table, or has changed it: nothing was written, and it is to be done again."""


class Lock:
    """Keeps others from a table from `take` to `release`; of two takes in one thread the second one joins the first."""

    def __init__(self, client: Any, target: TableName, *, retry_s: float) -> None:
        self._client, self._target, self._retry_s = client, target, retry_s
        self._name = target.beside(f"{PREFIX}{hashlib.sha256(target.table.encode()).hexdigest()[:16]}")
        self._owner: str | None = None

    def take(self) -> None:
        """Wait until it is ours. Raises Overtaken where others do not let go, and Google's errors."""
        if self._owner is None:
            self._owner = _owner()
            with _counting:
                _uses[self._owner, str(self._name)] += 1
        queue = _Queue(self._target)
        while not self._is_mine(there := self._tried()):
            if there is not None:
                queue.wait(there)

    def renew(self) -> bool:
        """Say that it is still needed. False where it is not ours any more, or nothing is heard."""
        with suppress(*ALL):  # it lives for some time yet, and the job goes on whatever becomes of it
            if self._owner is not None and self._is_mine(there := self._there()):
                there.expires = datetime.now(UTC) + LIFE
                self._client.update_table(there, ["expires"], retry=retry(self._retry_s))
                return True
        return False

    def release(self) -> None:
        """Let others in, if it is ours. Where that fails it expires by itself."""
        if self._owner is not None and self._is_last_use(self._owner):
            with suppress(*ALL):
                if self._is_mine(self._there()):
                    self._client.delete_table(str(self._name), not_found_ok=True, retry=retry(self._retry_s))
        self._owner = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside it is ours, whether it was taken before or not; after it others are let in."""
        try:
            if not self.renew():
                self.take()
            yield
        finally:
            self.release()

    # -- within

    def _tried(self) -> Any:
        """The lock as it is after a try to get it, whosever it is; None where it was let go in between."""
        there = self._there()
        if there is None:
            with suppress(api.Conflict):  # somebody was faster: perhaps we, whose answer was lost
                return self._client.create_table(self._signed(None), retry=retry(self._retry_s))
        elif there.expires is not None and there.expires <= datetime.now(UTC):
            with suppress(api.PreconditionFailed, api.NotFound):
                changed = ["description", "labels", "expires"]
                return self._client.update_table(self._signed(there), changed, retry=retry(self._retry_s))
        else:
            return there
        return self._there()

    def _signed(self, table: Any) -> Any:
        """The lock as ours: a new one, or that of a run that is gone."""
        from google.cloud.bigquery import Table

        table = table or Table(str(self._name))
        table.description = holders.name().removeprefix("mage-project ")
        table.labels = {_OWNER: self._owner}
        table.expires = datetime.now(UTC) + LIFE
        return table

    def _there(self) -> Any:
        try:
            return self._client.get_table(str(self._name), retry=retry(self._retry_s))
        except api.NotFound:
            return None

    def _is_mine(self, table: Any) -> bool:
        return table is not None and table.labels.get(_OWNER) == self._owner

    def _is_last_use(self, owner: str) -> bool:
        key = (owner, str(self._name))
        with _counting:
            _uses[key] -= 1
            return _uses[key] == 0 and _uses.pop(key) == 0


class _Queue:
    """The wait of one run. Its patience begins anew with every sign that those before it go on."""

    def __init__(self, target: TableName) -> None:
        self._target = target
        self._seen: Any = None
        self._until = 0.0
        self._told = False

    def wait(self, there: Any) -> None:
        """For a moment. Raises Overtaken after too many of them. `there`: the lock, as Google's Table."""
        holder = there.description or "another run"
        sign = (there.labels.get(_OWNER), there.expires)
        if sign != self._seen:
            self._seen, self._until = sign, time.monotonic() + _PATIENCE_S
        elif time.monotonic() >= self._until:
            minutes = f"{_PATIENCE_S / 60:.0f} minutes"
            what = f"{self._target} is being written by {holder}, which has given no sign for {minutes}"
            raise Overtaken(what, hint="nothing was written: run it again when that one has ended")
        if not self._told:
            print(f"BigQuery: {self._target} is being written by {holder}: waiting until that has ended")
            self._told = True
        time.sleep(_LOOK_S)


def _owner() -> str:
    """Who takes a lock: this thread, which would wait for itself otherwise (and not one that was forked from it)."""
    if getattr(_thread, "process", None) != os.getpid():
        _thread.process, _thread.owner = os.getpid(), secrets.token_hex(16)
    return str(_thread.owner)

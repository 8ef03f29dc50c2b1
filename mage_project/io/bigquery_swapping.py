"""The last step of an export: one job, atomic and without DML, that puts the staged rows into the table."""

from __future__ import annotations

import concurrent.futures
import hashlib
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from google.api_core import exceptions as api

from mage_project.errors import StoreError, StoreUnavailable
from mage_project.io import commits
from mage_project.io.bigquery_errors import telling
from mage_project.io.bigquery_jobs import asking, finished, retry, started
from mage_project.io.bigquery_locks import LIFE, Lock, Overtaken
from mage_project.io.bigquery_options import Options
from mage_project.io.bigquery_staging import Staging
from mage_project.io.bigquery_tables import Layout, layout_of
from mage_project.io.bigquery_targets import Target

#: Numbers the rows of a staging table that is merged, so that of several with one key the right one counts.
ROW = "_mage_project_row"

_PROCESS = secrets.token_hex(8)
_confirmed: Counter[str] = Counter()
_lock = threading.Lock()


class Swap:
    """Puts what is staged into its target.

    The job's id comes from target, policy and content, and from how often this process has seen that content arrive: an
    export that is repeated because nobody heard of its end finds its job, and an export that is meant is a new one.
    """

    def __init__(
        self, client: Any, target: Target, staging: Staging, layout: Layout, options: Options, *, retry_s: float
    ) -> None:
        self._client = client
        self._target = target
        self._staging = staging
        self._layout = layout
        self._options = options
        self._retry_s = retry_s
        self._doing = f"writing {target.name}"
        self._lock = Lock(client, target.name, retry_s=retry_s)

    def prepare(self) -> None:
        """Keep other runs from the target until `commit` or `abandon`. Raises StoreError where they do not let go."""
        with telling(self._doing, self._client, self._target.name):
            self._lock.take()
            self._check_that_it_is_the_same()

    def commit(self) -> None:
        """Swap it in and remove the staging table. Raises StoreError with the table as it was."""
        key = f"{self._target.name} {self._options.if_exists} {self._staging.content}"
        with _lock:
            name = hashlib.sha256(f"{_PROCESS} {key} {_confirmed[key]}".encode()).hexdigest()[:32]
        try:
            with telling(self._doing, self._client, self._target.name), self._lock.held():
                self._check_that_it_is_the_same()
                self._make_way()
                self._finish(self._started(f"swap_{name}"))
                self._keep_expiration()
        except Overtaken:
            self._staging.drop()
            raise
        except StoreUnavailable as error:
            error.hint = (
                f"it is not known whether the rows arrived: see the job mage_project_swap_{name}_0, or try again from "
                f"{self._staging.name}, which has them for a day"
            )
            raise
        except StoreError:
            if not self._is_recut:
                self._staging.drop()
            raise
        with _lock:
            _confirmed[key] += 1
        self._staging.drop()

    def abandon(self) -> None:
        """Forget what was staged, and let others in."""
        try:
            self._lock.release()
        finally:
            self._staging.drop()

    # -- within

    def _check_that_it_is_the_same(self) -> None:
        """A merge is for the table that was there when its rows were staged, with the same columns, or for none."""
        if not self._options.is_merge:
            return
        before = self._target.table and list(self._target.table.schema)
        try:
            now = list(self._client.get_table(str(self._target.name), retry=retry(self._retry_s)).schema)
        except api.NotFound:
            now = None
        if now != before:
            what = f"another run has {'made' if before is None else 'changed'} {self._target.name} in the meantime"
            raise Overtaken(what, hint="nothing was written: run it again")

    def _finish(self, job: Any) -> None:
        """Wait for the job, and have the lock outlive it."""
        while not job.done(retry=retry(self._retry_s)):
            try:
                job.result(retry=retry(self._retry_s), timeout=LIFE.total_seconds() / 4)
            except concurrent.futures.TimeoutError:
                self._lock.renew()
        finished(job, retry_s=self._retry_s)

    def _started(self, name: str) -> Any:
        start = self._merge if self._options.is_merge and self._target.table is not None else self._copy
        return started(self._client, name, self._target.location, start, retry_s=self._retry_s)

    def _copy(self, job_id: str) -> Any:
        from google.cloud.bigquery import CopyJobConfig

        return self._client.copy_table(
            str(self._staging.name),
            str(self._target.name),
            job_id=job_id,
            location=self._target.location,
            job_config=CopyJobConfig(write_disposition=self._options.disposition, labels=dict(self._options.labels)),
            retry=retry(self._retry_s),
        )

    def _merge(self, job_id: str) -> Any:
        from google.cloud.bigquery import QueryJobConfig

        columns = [found.name for found in self._target.table.schema]
        query = merge_query(self._target.name.sql, self._staging.name.sql, columns, self._options)
        config = QueryJobConfig(
            destination=str(self._target.name),
            write_disposition="WRITE_TRUNCATE",
            labels=dict(self._options.labels),
        )
        layout_of(self._target.table).put_on(config)
        return asking(self._client, query, config, self._target.location, retry_s=self._retry_s)(job_id)

    @property
    def _is_recut(self) -> bool:
        """Whether the table that is replaced has other partitions, which BigQuery does not take in one step."""
        table = self._target.table
        return (
            table is not None and self._options.if_exists == "replace" and not layout_of(table).cuts_like(self._layout)
        )

    def _make_way(self) -> None:
        if self._is_recut:
            self._client.delete_table(str(self._target.name), not_found_ok=True, retry=retry(self._retry_s))

    def _keep_expiration(self) -> None:
        """The table must not expire with the staging table that it is a copy of."""
        table = self._client.get_table(str(self._target.name), retry=retry(self._retry_s))
        before = self._target.table.expires if self._target.table is not None else None
        if table.expires is None or table.expires == before or not self._staging.expires_with(table):
            return
        table.expires = before
        self._client.update_table(table, ["expires"], retry=retry(self._retry_s))


class _Later:
    """The commit that waits of an export, which has nothing to commit yet."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self.swap: Swap | None = None

    def add_to(self, collected: commits.Commits, what: str) -> commits.Pending:
        return collected.add(
            prepare=lambda: self._do(Swap.prepare, close=False),
            commit=lambda: self._do(Swap.commit),
            rollback=lambda: self._do(Swap.abandon),
            what=what,
        )

    def _do(self, step: Callable[[Swap], None], *, close: bool = True) -> None:
        try:
            if self.swap is not None:
                step(self.swap)
        finally:
            if close:
                self._close()  # the block may have closed it long ago


def hand_over(stage: Callable[[], Swap], what: str, close: Callable[[], None]) -> None:
    """Stage, and commit at once, or where commits are collected when they are made; `close` then closes the client.

    A stream hears of the commit before the first frame is read: whose commit waits ends before the others.
    """
    collected = commits.current()
    if collected is None:
        stage().commit()
        return
    later = _Later(close)
    if collected.settles:  # what is staged may have everything committed that waits
        later.swap = stage()
        later.add_to(collected, what)
        return
    pending = later.add_to(collected, what)
    try:
        later.swap = stage()
    except BaseException:
        collected.discard(pending)
        raise


def merge_query(target: str, staging: str, columns: Sequence[str], options: Options) -> str:
    """The rows of the target after the merge.

    UPDATE: of the rows with one key the last staged one, IGNORE: those of the target, else the first staged one. A
    key that is null is a key.
    """
    listed = ", ".join(f"`{name}`" for name in columns)
    keys = ", ".join(f"`{name}`" for name in options.unique)
    rank, order = (0, f"-{ROW}") if options.conflict == "UPDATE" else (2, ROW)
    return (
        f"SELECT {listed} FROM (\n"  # noqa: S608 - names that were checked
        f"  SELECT {listed}, 1 AS _mage_project_rank, 0 AS _mage_project_order FROM {target}\n"
        f"  UNION ALL\n"
        f"  SELECT {listed}, {rank}, {order} FROM {staging}\n"
        f")\nWHERE TRUE\n"
        f"QUALIFY RANK() OVER (PARTITION BY {keys} ORDER BY _mage_project_rank, _mage_project_order) = 1"
    )

"""Reads runs out of the history."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mage_project.errors import UsageError
from mage_project.history.facts import RESUMES, moment_text
from mage_project.history.leases import Holder
from mage_project.history.stores import Row, Store, Transaction

_SHORT = ", ".join(
    """run_id pipeline status trigger_name backfill_id execution_date interval_end variables_key code host pid
    pid_started started_at heartbeat_at ended_at seconds row_count peak_rss_bytes error exit_code
    parent_run_id""".split()
)

#: How a run may stand.
STATUSES = ("running", "completed", "sampled", "failed", "crashed", "not_published")
_CHILDREN = f"SELECT {_SHORT} FROM run WHERE parent_run_id = :run_id ORDER BY started_at"  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A run as the history has it. `status` is `crashed` where the process of a run is gone that never ended.

    Moments are seconds since 1970; `rows` is what its exporters were given, or its last output had.
    """

    run_id: str
    pipeline: str
    status: str
    trigger: str | None
    backfill_id: str | None
    execution_date: str
    interval_end: str | None
    variables_key: str
    code: dict[str, str]
    started_at: float
    ended_at: float | None
    seconds: float | None
    rows: int | None
    peak_rss_bytes: int | None
    error: str | None
    exit_code: int | None
    parent_run_id: str | None = None

    @property
    def is_running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True, kw_only=True)
class RunDetails:
    """Everything that the history has of one run: `blocks` are their records, as `run --json` prints them.

    `children` are the runs that its blocks have started, in the order in which they began.
    """

    run: StoredRun
    variables: dict[str, Any]
    git_commit: str | None
    git_dirty: bool | None
    started_by: str | None
    host: str
    warnings: list[str]
    blocks: list[dict[str, Any]]
    children: list[StoredRun]


def newest(
    store: Store,
    *,
    pipeline: str | None = None,
    backfill_id: str | None = None,
    statuses: Collection[str] = (),
    since: float | None = None,
    until: float | None = None,
    limit: int = 20,
) -> list[StoredRun]:
    """The runs that began last, newest first: those of a status of `statuses`, that began from `since` to `until`."""
    wanted = {"pipeline": pipeline, "backfill_id": backfill_id, "since": since, "until": until}
    given = {name: value for name, value in wanted.items() if value is not None}
    # One that says that it is running may have crashed: of the few that do, each is looked at.
    each: set[str | None] = {*statuses, *(["running"] if "crashed" in statuses else [])} or {None}
    with store.transaction() as transaction:
        found = [
            run
            for status in each
            for run in _stored(store, transaction, _newest(transaction, given, status, limit))
            if not statuses or run.status in statuses
        ]
    return sorted(found, key=lambda run: (run.started_at, run.run_id), reverse=True)[:limit]


def _newest(transaction: Transaction, given: Mapping[str, Any], status: str | None, limit: int) -> Sequence[Row]:
    values = {**given, **({"status": status} if status else {})}
    conditions = {"since": "started_at >= :since", "until": "started_at < :until"}
    where = " AND ".join(conditions.get(name, f"{name} = :{name}") for name in values)
    last = "" if status == "running" else "LIMIT :limit"
    return transaction.run(
        f"SELECT {_SHORT} FROM run {where and f'WHERE {where}'} ORDER BY started_at DESC, run_id DESC {last}",  # noqa: S608
        **values,
        **({"limit": limit} if last else {}),
    )


def of_dates(store: Store, pipeline: str, first: datetime, last: datetime) -> list[StoredRun]:
    """The runs of a pipeline with an execution date from `first` to `last`, newest first."""
    with store.transaction() as transaction:
        rows = transaction.run(
            f"SELECT {_SHORT} FROM run WHERE pipeline = :pipeline AND execution_date BETWEEN :first AND :last "  # noqa: S608
            "ORDER BY started_at DESC, run_id DESC",
            pipeline=pipeline,
            first=moment_text(first),
            last=moment_text(last),
        )
        return _stored(store, transaction, rows)


def going_on(store: Store) -> list[StoredRun]:
    """The runs whose processes live."""
    with store.transaction() as transaction:
        rows = transaction.run(f"SELECT {_SHORT} FROM run WHERE status = 'running' AND ended_at IS NULL")  # noqa: S608
        return [run for run in _stored(store, transaction, rows) if run.is_running]


def named(store: Store, run_id: str) -> StoredRun | None:
    """The run of exactly that name, if it has told the history of itself."""
    with store.transaction() as transaction:
        rows = transaction.run(f"SELECT {_SHORT} FROM run WHERE run_id = :run_id", run_id=run_id)  # noqa: S608
        return next(iter(_stored(store, transaction, rows)), None)


def last_to_resume(store: Store, run: StoredRun) -> StoredRun:
    """The last run of those that have gone on with this one, in turn; itself where none has."""
    seen = {run.run_id}
    with store.transaction() as transaction:
        while True:
            rows = transaction.run(
                f"SELECT {_SHORT} FROM run WHERE pipeline = :pipeline AND trigger_name = :trigger "  # noqa: S608
                "ORDER BY started_at DESC, run_id DESC LIMIT 1",  # clocks may go back: all of them are looked through
                pipeline=run.pipeline,
                trigger=f"{RESUMES}{run.run_id}",
            )
            if not rows or rows[0]["run_id"] in seen:
                return run
            [run] = _stored(store, transaction, rows)
            seen.add(run.run_id)


def details(store: Store, run_id: str) -> RunDetails:
    """One run, by its id or the beginning of it. `UsageError` for an unknown or an unclear one."""
    with store.transaction() as transaction:
        row = _found(transaction, run_id)
        [run] = _stored(store, transaction, [row])
        blocks = transaction.run(
            "SELECT record FROM block_run WHERE run_id = :run_id ORDER BY place", run_id=run.run_id
        )
        children = _stored(store, transaction, transaction.run(_CHILDREN, run_id=run.run_id))
    return RunDetails(
        run=run,
        variables=json.loads(row["variables"]),
        git_commit=row["git_commit"],
        git_dirty=None if row["git_dirty"] is None else bool(row["git_dirty"]),
        started_by=row["started_by"],
        host=row["host"].split()[0],
        warnings=json.loads(row["warnings"]),
        blocks=[json.loads(block["record"]) for block in blocks],
        children=children,
    )


def _found(transaction: Transaction, run_id: str) -> Row:
    # A range, not a pattern: both stores find it by the index. Names end in hexadecimal digits.
    rows = transaction.run(
        "SELECT * FROM run WHERE run_id BETWEEN :run_id AND :last ORDER BY run_id LIMIT 2",
        run_id=run_id,
        last=f"{run_id}zz",
    )
    if not rows:
        raise UsageError(f"there is no run '{run_id}' in the history", hint="mage-project runs list")
    if len(rows) > 1 and rows[0]["run_id"] != run_id:
        raise UsageError(
            f"several runs begin with '{run_id}'", hint="give more of the run's name: mage-project runs list"
        )
    return rows[0]


def _stored(store: Store, transaction: Transaction, rows: Sequence[Row]) -> list[StoredRun]:
    now = store.now(transaction) if any(row["status"] == "running" for row in rows) else 0.0
    return [
        StoredRun(
            status=_status(row, now),
            trigger=row["trigger_name"],
            rows=row["row_count"],
            code=json.loads(row["code"]),
            **{name: row[name] for name in ("run_id", "pipeline", "backfill_id", "execution_date", "interval_end")},
            **{name: row[name] for name in ("variables_key", "started_at", "ended_at", "seconds", "peak_rss_bytes")},
            **{name: row[name] for name in ("error", "exit_code", "parent_run_id")},
        )
        for row in rows
    ]


def _status(row: Row, now: float) -> str:
    if row["status"] != "running":
        return str(row["status"])
    holder = Holder(host=row["host"], pid=row["pid"], pid_started=row["pid_started"])
    return "running" if holder.lives(row["heartbeat_at"], now) else "crashed"

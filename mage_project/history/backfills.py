"""Backfills in the history: their receipts, and which of them is at work on an interval."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mage_project.history.leases import Holder, this_process
from mage_project.history.stores import Row, Store

_PUT = """
INSERT INTO backfill (backfill_id, pipeline, status, request, request_key, receipt, host, pid, pid_started, started_at,
  heartbeat_at, ended_at, again)
VALUES (:backfill_id, :pipeline, 'running', :request, :request_key, NULL, :host, :pid, :pid_started, :now, :now, NULL,
  :again)
ON CONFLICT (backfill_id) DO UPDATE SET status = 'running', host = excluded.host, pid = excluded.pid,
  pid_started = excluded.pid_started, heartbeat_at = excluded.heartbeat_at, ended_at = NULL, again = excluded.again
"""
_END = """
UPDATE backfill SET status = :status, receipt = :receipt, ended_at = :now, heartbeat_at = :now
WHERE backfill_id = :backfill_id
"""
#: Those that have not ended, and of whose crash people are to hear: for `crashes.Silence`, by the same name as runs.
OPEN = """
SELECT backfill.*, backfill_id AS run_id FROM backfill
WHERE status = 'running' AND ended_at IS NULL AND again IS NOT NULL ORDER BY started_at
"""
#: Of several that find it one gets the row. It ended when it was heard of last, as far as anybody knows.
_CRASH = """
UPDATE backfill SET status = 'crashed', ended_at = heartbeat_at
WHERE backfill_id = :backfill_id AND status = 'running' AND ended_at IS NULL AND heartbeat_at = :heartbeat_at
RETURNING *
"""
_RUNS = "SELECT status, COUNT(*) AS number FROM run WHERE backfill_id = :backfill_id GROUP BY status ORDER BY status"
_NEWEST = "SELECT * FROM backfill WHERE request_key = :request_key ORDER BY started_at DESC LIMIT 1"

_KEY = "pipeline = :pipeline AND variables_key = :variables_key AND execution_date = :execution_date"
_CLAIM = """
INSERT INTO claim (pipeline, variables_key, execution_date, backfill_id, host, pid, pid_started, heartbeat_at)
VALUES (:pipeline, :variables_key, :execution_date, :backfill_id, :host, :pid, :pid_started, :now)
ON CONFLICT (pipeline, variables_key, execution_date) DO NOTHING
"""
_CLAIMED = f"SELECT * FROM claim WHERE {_KEY}"  # noqa: S608 - no value is in it
_UNCLAIM = f"DELETE FROM claim WHERE {_KEY} AND host = :host AND pid = :pid AND pid_started = :pid_started"  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class ClaimKey:
    """One interval of one pipeline with one set of variables."""

    pipeline: str
    variables_key: str
    execution_date: str


def begin(
    store: Store,
    backfill_id: str,
    pipeline: str,
    request: Mapping[str, Any],
    request_key: str,
    *,
    again: str | None = None,
) -> None:
    """Put down a backfill that starts, or goes on. `again`: the command for whoever is to hear that it has crashed."""
    with store.transaction(write=True) as transaction:
        now = store.now(transaction)
        texts = {"backfill_id": backfill_id, "pipeline": pipeline, "request_key": request_key}
        transaction.run(_PUT, **texts, again=again, request=json.dumps(request), now=now, **asdict(this_process()))


def end(store: Store, backfill_id: str, status: str, receipt: Mapping[str, Any]) -> None:
    """Put down how a backfill ended, with its receipt."""
    with store.transaction(write=True) as transaction:
        text = json.dumps(receipt, ensure_ascii=False)
        transaction.run(_END, backfill_id=backfill_id, status=status, receipt=text, now=store.now(transaction))


def crash(store: Store, backfill: Row) -> Row | None:
    """Write it down as crashed; with its `runs`, how many are of which status. None: it lives, or has been already."""
    key = {"backfill_id": backfill["backfill_id"]}
    with store.transaction(write=True) as transaction:
        rows = transaction.run(_CRASH, **key, heartbeat_at=backfill["heartbeat_at"])
        runs = {row["status"]: row["number"] for row in transaction.run(_RUNS, **key)} if rows else {}
    return {**rows[0], "runs": runs} if rows else None


def some_are_open(store: Store) -> bool:
    """Whether there may be one of whose crash people are to hear."""
    with store.transaction() as transaction:
        return bool(transaction.run(OPEN))


def unfinished(store: Store, request_key: str) -> str | None:
    """The last backfill that was asked the same, where it was interrupted or its process is gone."""
    with store.transaction() as transaction:
        rows = transaction.run(_NEWEST, request_key=request_key)
        now = store.now(transaction)
    if not rows:
        return None
    gone = rows[0]["status"] == "running" and not _holder(rows[0]).lives(rows[0]["heartbeat_at"], now)
    return str(rows[0]["backfill_id"]) if gone or rows[0]["status"] in ("interrupted", "crashed") else None


def claim(store: Store, key: ClaimKey, backfill_id: str) -> str | None:
    """Claim an interval for this process. None: it is ours; else the id of the backfill that has it and lives."""
    me = this_process()
    with store.transaction(write=True) as transaction:
        now = store.now(transaction)
        for row in transaction.run(_CLAIMED, **asdict(key)):
            if not _holder(row).lives(row["heartbeat_at"], now):
                transaction.run(_UNCLAIM, **asdict(key), **asdict(_holder(row)))
        transaction.run(_CLAIM, **asdict(key), backfill_id=backfill_id, now=now, **asdict(me))
        [row] = transaction.run(_CLAIMED, **asdict(key))
    return None if _holder(row) == me and row["backfill_id"] == backfill_id else str(row["backfill_id"])


def release(store: Store, key: ClaimKey) -> None:
    with store.transaction(write=True) as transaction:
        transaction.run(_UNCLAIM, **asdict(key), **asdict(this_process()))


def beat(store: Store, backfill_id: str) -> None:
    """Say that the backfill and its claims live."""
    with store.transaction(write=True) as transaction:
        now = store.now(transaction)
        for table in ("backfill", "claim"):
            transaction.run(
                f"UPDATE {table} SET heartbeat_at = :now WHERE backfill_id = :backfill_id",  # noqa: S608
                now=now,
                backfill_id=backfill_id,
            )


def _holder(row: Row) -> Holder:
    return Holder(host=row["host"], pid=row["pid"], pid_started=row["pid_started"])

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
  heartbeat_at, ended_at)
VALUES (:backfill_id, :pipeline, 'running', :request, :request_key, NULL, :host, :pid, :pid_started, :now, :now, NULL)
ON CONFLICT (backfill_id) DO UPDATE SET status = 'running', host = excluded.host, pid = excluded.pid,
  pid_started = excluded.pid_started, heartbeat_at = excluded.heartbeat_at, ended_at = NULL
"""
_END = """
UPDATE backfill SET status = :status, receipt = :receipt, ended_at = :now, heartbeat_at = :now
WHERE backfill_id = :backfill_id
"""
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


def begin(store: Store, backfill_id: str, pipeline: str, request: Mapping[str, Any], request_key: str) -> None:
    """Put down a backfill that starts, or goes on."""
    with store.transaction(write=True) as transaction:
        now = store.now(transaction)
        texts = {"backfill_id": backfill_id, "pipeline": pipeline, "request_key": request_key}
        transaction.run(_PUT, **texts, request=json.dumps(request), now=now, **asdict(this_process()))


def end(store: Store, backfill_id: str, status: str, receipt: Mapping[str, Any]) -> None:
    """Put down how a backfill ended, with its receipt."""
    with store.transaction(write=True) as transaction:
        text = json.dumps(receipt, ensure_ascii=False)
        transaction.run(_END, backfill_id=backfill_id, status=status, receipt=text, now=store.now(transaction))


def unfinished(store: Store, request_key: str) -> str | None:
    """The last backfill that was asked the same, where it was interrupted or its process is gone."""
    with store.transaction() as transaction:
        rows = transaction.run(_NEWEST, request_key=request_key)
        now = store.now(transaction)
    if not rows:
        return None
    gone = rows[0]["status"] == "running" and not _holder(rows[0]).lives(rows[0]["heartbeat_at"], now)
    return str(rows[0]["backfill_id"]) if gone or rows[0]["status"] == "interrupted" else None


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

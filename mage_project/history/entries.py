"""The entry of one run in the history: its row, the records of its blocks when it has ended, and its receipt."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mage_project.history.receipts import contents, seal
from mage_project.history.stores import Store, Told, Transaction, store_of

COLUMNS = (
    *("run_id", "pipeline", "status", "trigger_name", "backfill_id", "execution_date", "interval_end", "variables"),
    *("variables_key", "git_commit", "git_dirty", "code", "started_by", "host", "pid", "pid_started", "started_at"),
    *("heartbeat_at", "ended_at", "seconds", "row_count", "peak_rss_bytes", "warnings", "error", "exit_code"),
    *("parent_run_id", "alerts"),
)
#: The same statement at the start and at the end: a store that was away, or is new, gets the whole run then.
_PUT_RUN = (
    f"INSERT INTO run ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)}) "  # noqa: S608
    f"ON CONFLICT (run_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)
#: What is known of a crash is said once, and never over what the run has said itself: that counts in any case.
_PUT_LEFT = (
    f"{_PUT_RUN} WHERE run.ended_at IS NULL OR (run.status = 'crashed' AND excluded.status <> 'crashed') "
    "RETURNING run_id"
)
_PUT_BLOCK = (
    "INSERT INTO block_run (run_id, place, uuid, status, record) VALUES (:run_id, :place, :uuid, :status, :record)"
)

Blocks = Sequence[Mapping[str, Any]]


def put(store: Store, row: Mapping[str, Any], blocks: Blocks | None = None) -> None:
    """Write the run; one that has ended with the records of its `blocks`, and its receipt."""
    with store.transaction(write=True) as transaction:
        transaction.run(_PUT_RUN, **{**row, "heartbeat_at": store.now(transaction)})
        if blocks is not None:
            _end(transaction, row, blocks)


def _end(transaction: Transaction, row: Mapping[str, Any], blocks: Blocks) -> None:
    rows = [
        {
            **{"run_id": row["run_id"], "place": place, "uuid": block["uuid"], "status": block["status"]},
            "record": json.dumps(block, ensure_ascii=False, default=str),
        }
        for place, block in enumerate(blocks)
    ]
    transaction.run_many(_PUT_BLOCK, rows)
    seal(transaction, "run", contents(row, blocks))


def put_left(left: Mapping[str, Any], told: Told, *, crashed: str | None, exit_code: int) -> bool:
    """Write what a run has left that could not do so itself; `crashed`: how its process ended, if it should not have.

    Whether nobody else had done so. Raises `HistoryUnavailable`.
    """
    row, blocks = left["row"], left["blocks"]
    if row["ended_at"] is None:
        now = time.time()
        row |= {"status": "crashed", "ended_at": now, "seconds": now - row["started_at"]}
        row |= {"error": crashed, "exit_code": exit_code}
    store = store_of(Path(left["root"]), told)
    if store is None:
        return True
    with store.transaction(write=True) as transaction:
        is_ours = bool(transaction.run(_PUT_LEFT, **{**row, "heartbeat_at": store.now(transaction)}))
        if is_ours:
            _end(transaction, row, blocks)
    return is_ours

"""Takes old runs out of the history. Their receipts stay, and one more says which were taken out."""

from __future__ import annotations

import os
import time
from collections.abc import Collection

from mage_project.history.leases import this_process
from mage_project.history.receipts import seal
from mage_project.history.stores import Store

_OLD = "SELECT run_id FROM run WHERE started_at < :before ORDER BY run_id"
_CUTOFF = "SELECT started_at FROM run ORDER BY started_at DESC LIMIT 1 OFFSET :place"


def old_runs(store: Store, *, before: float | None, keep: int | None, used: Collection[str]) -> list[str]:
    """The runs that began before that moment (seconds since 1970), or are not among the `keep` newest."""
    with store.transaction() as transaction:
        newest = transaction.run(_CUTOFF, place=keep - 1) if keep else []
        moments = [row["started_at"] for row in newest] + ([] if before is None else [before])
        if not moments:
            return []
        return [row["run_id"] for row in transaction.run(_OLD, before=max(moments)) if row["run_id"] not in used]


def forget(store: Store, runs: Collection[str]) -> None:
    """Take the runs out, all or none of them."""
    if not runs:
        return
    rows = [{"run_id": run_id} for run_id in runs]
    with store.transaction(write=True) as transaction:
        for table in ("block_run", "run"):
            transaction.run_many(f"DELETE FROM {table} WHERE run_id = :run_id", rows)  # noqa: S608 - no value is in it
        by = {"user": os.getuid(), "host": this_process().host, "at": time.time()}
        seal(transaction, "clean", {"runs": sorted(runs), **by})

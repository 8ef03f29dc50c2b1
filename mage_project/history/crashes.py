"""Runs that never ended and whose processes are gone: found by their lease, and written down as crashed, once.

The command of a run that outlives it does so at once (cli/guard.py). These are runs whose command is gone as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from mage_project.history.leases import Holder
from mage_project.history.receipts import contents, seal
from mage_project.history.stores import Row, Store

#: What is said of them.
WHY = "its process is gone (killed, short of memory, or its machine went down), and could not say why"
_OPEN = "SELECT * FROM run WHERE status = 'running' AND ended_at IS NULL ORDER BY started_at"
#: Of several that find it one gets the row. It ended when it was heard of last, as far as anybody knows.
_CLOSE = """
UPDATE run SET status = 'crashed', ended_at = heartbeat_at, seconds = heartbeat_at - started_at, error = :why
WHERE run_id = :run_id AND status = 'running' AND ended_at IS NULL RETURNING *
"""


def lost(store: Store) -> Sequence[Row]:
    """The runs that have crashed, and of which nobody has taken notice."""
    with store.transaction() as transaction:
        rows = transaction.run(_OPEN)
        now = store.now(transaction) if rows else 0.0
    return [row for row in rows if _holder(row).is_lost(row["heartbeat_at"], now)]


def close(store: Store, run_id: str) -> Row | None:
    """Write it down as crashed, with its receipt. None: somebody else has done so, or the run itself has ended."""
    with store.transaction(write=True) as transaction:
        rows = transaction.run(_CLOSE, run_id=run_id, why=WHY)
        for row in rows:
            seal(transaction, "run", contents(row, []))
    return rows[0] if rows else None


def _holder(row: Row) -> Holder:
    return Holder(host=row["host"], pid=row["pid"], pid_started=row["pid_started"])

"""Runs that never ended and whose processes are gone: found by their lease, and written down as crashed, once.

The command of a run that outlives it does so at once (cli/guard.py). These are runs whose command is gone as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mage_project.history.leases import LOST_S, Holder
from mage_project.history.receipts import contents, seal
from mage_project.history.stores import Row, Store

#: After a longer time between two looks it is unknown whether the store was there for the runs.
_GAP_S = 15.0
#: What is said of them.
WHY = "its process is gone (killed, short of memory, or its machine went down), and could not say why"
_OPEN = "SELECT * FROM run WHERE status = 'running' AND ended_at IS NULL ORDER BY started_at"
#: Of several that find it one gets the row. It ended when it was heard of last, as far as anybody knows.
_CLOSE = """
UPDATE run SET status = 'crashed', ended_at = heartbeat_at, seconds = heartbeat_at - started_at, error = :why
WHERE run_id = :run_id AND status = 'running' AND ended_at IS NULL AND heartbeat_at = :heartbeat_at RETURNING *
"""


class Silence:
    """Looks for lost runs again and again. Of a run on another machine one look says too little.

    A store that was away, or a machine that slept, leaves old heartbeats of runs that go on. So such a run is lost only
    when its heartbeat has stayed the same for `patience_s` of looks, none of them long after the one before.
    """

    def __init__(
        self, store: Store, *, of: str = _OPEN, patience_s: float = LOST_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`of`: the statement for what has not ended, runs or something else that has a `run_id` and a lease."""
        self._store, self._of, self._patience_s, self._clock = store, of, patience_s, clock
        #: Of each run on another machine: its heartbeat, and when that was seen first.
        self._seen: dict[str, tuple[float, float]] = {}
        self._looked_at = clock()
        #: The runs that the last look could not tell about, and the next ones will.
        self.suspects: Sequence[Row] = ()

    def lost(self) -> Sequence[Row]:
        """The runs that have crashed, and of which nobody has taken notice. Raises `HistoryUnavailable`."""
        with self._store.transaction() as transaction:
            rows = transaction.run(self._of)
            now = self._store.now(transaction) if rows else 0.0
        self._listen([row for row in rows if not _holder(row).is_here])
        suspects = [row for row in rows if _holder(row).is_lost(row["heartbeat_at"], now)]
        found = [row for row in suspects if row["run_id"] not in self._seen or self._is_silent(row)]
        self.suspects = [row for row in suspects if row not in found]
        return found

    def _listen(self, rows: Sequence[Row]) -> None:
        looked_at = self._clock()
        before = self._seen if looked_at - self._looked_at <= _GAP_S else {}
        self._looked_at, self._seen = looked_at, {}
        for row in rows:
            heartbeat, since = before.get(row["run_id"], (None, looked_at))
            is_same = heartbeat == row["heartbeat_at"]
            self._seen[row["run_id"]] = (row["heartbeat_at"], since if is_same else looked_at)

    def _is_silent(self, row: Row) -> bool:
        return self._looked_at - self._seen[row["run_id"]][1] >= self._patience_s


def close(store: Store, run: Row) -> Row | None:
    """Write it down as crashed, with its receipt. None: it lives, has ended, or somebody else has done so."""
    with store.transaction(write=True) as transaction:
        rows = transaction.run(_CLOSE, run_id=run["run_id"], heartbeat_at=run["heartbeat_at"], why=WHY)
        for row in rows:
            seal(transaction, "run", contents(row, []))
    return rows[0] if rows else None


def is_old(run: Row) -> bool:
    """Whether it is from before it was written down who is to hear of it: that may be months ago, and is no news."""
    return run["alerts"] is None


def _holder(row: Row) -> Holder:
    return Holder(host=row["host"], pid=row["pid"], pid_started=row["pid_started"])

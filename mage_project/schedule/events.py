"""What a run tells the backfill that has started it: JSON lines through a socket that both hold.

The socket is also how the run learns that the backfill is gone: then it reads the end.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from mage_project.runner.log import LIMIT_BYTES
from mage_project.runner.outlets import Outlet
from mage_project.runner.records import BlockRecord, RunRecord
from mage_project.runner.reporting import Reporter

#: Seconds between two lines about rows.
_PAUSE_S = 0.3


class Telling:
    """A reporter that tells another one, and the backfill."""

    def __init__(self, inner: Reporter, socket: int) -> None:
        self._inner = inner
        self._socket: Outlet | None = Outlet(socket)
        self._left = LIMIT_BYTES
        self._next = 0.0
        self._lock = threading.Lock()

    def run_started(self, run: RunRecord) -> None:
        self._inner.run_started(run)
        self._tell("started", run_id=run.run_id)

    def block_started(self, block: BlockRecord) -> None:
        self._inner.block_started(block)
        self._tell("block", block=block.uuid)

    def progress(self, block: BlockRecord) -> None:
        self._inner.progress(block)
        if time.monotonic() > self._next:
            self._next = time.monotonic() + _PAUSE_S
            rows = block.rows_out if block.rows_out is not None else block.rows_in
            self._tell("rows", block=block.uuid, rows=rows)

    def download(self, block: BlockRecord, done: int, total: int | None, what: str) -> None:
        self._inner.download(block, done, total, what)
        if time.monotonic() > self._next:
            self._next = time.monotonic() + _PAUSE_S
            self._tell("download", block=block.uuid, done=done, total=total)

    def said(self, block: str | None, line: str) -> None:
        """What it says goes to a file that nobody watches: it takes no more than the run's own log does."""
        if self._left > 0:
            self._left -= len(line)
            self._inner.said(block, line if self._left > 0 else "more of what blocks say is left out")

    def block_ended(self, block: BlockRecord) -> None:
        self._inner.block_ended(block)

    def run_ended(self, run: RunRecord) -> None:
        self._inner.run_ended(run)
        self._tell("ended", run=run.as_dict())

    def _tell(self, event: str, **more: Any) -> None:
        """One line. When the backfill is gone the guard ends the run: nobody is left to be told."""
        line = json.dumps({"event": event, **more}, default=str).encode() + b"\n"
        with self._lock:
            try:
                if self._socket is not None:
                    self._socket.write(line)
            except OSError:
                self._socket = None

"""Writes one run into the history while it goes on, from a thread of its own: the run never waits for the store."""

from __future__ import annotations

import os
import pwd
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from json import dumps  # by name: a block may put something else into the module
from typing import Any

from mage_project.errors import HistoryUnavailable
from mage_project.history import testament
from mage_project.history.entries import COLUMNS, put
from mage_project.history.facts import (
    RESUMES,
    RunFacts,
    code_hashes,
    masked_texts,
    moment_text,
    rows_at_end,
    variables_key,
    variables_text,
)
from mage_project.history.git import commit_of
from mage_project.history.leases import HEARTBEAT_S, this_process
from mage_project.history.patience import Patience
from mage_project.history.stores import Store, Told

#: How long the end of a run waits for a store that does not answer.
PATIENCE_S = 3.0

#: A run that was taken for dead, and is not, goes on in the history as well.
_BEAT = """
UPDATE run SET heartbeat_at = :now, status = 'running', ended_at = NULL, seconds = NULL, error = NULL
WHERE run_id = :run_id AND status IN ('running', 'crashed')
"""


class Ledger:
    """The entry of one run: `start` it with the run, `end` it with the run's record."""

    def __init__(self, store: Store | None, facts: RunFacts, told: Told) -> None:
        """`told` is given a line at the end where the run could not be written down."""
        self._store = store
        self._facts = facts
        self._told = told
        self._over = threading.Event()
        self._record: Mapping[str, Any] | None = None
        self._exit_code: int | None = None
        self._trouble: str | None = None
        self._row: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._keep, name="history", daemon=True)

    def start(self) -> None:
        if self._store is not None or testament.mine:
            self._row = self._begun()
            self._leave()
        if self._store is not None:
            self._thread.start()

    def end(self, record: Mapping[str, Any], exit_code: int) -> None:
        """Write how the run ended. Never raises, and waits `PATIENCE_S` for a store that is silent."""
        if self._store is None:
            if testament.mine:
                testament.mine.take_back()
            return
        self._record, self._exit_code = record, exit_code
        patience = Patience(self._thread, PATIENCE_S)
        self._over.set()
        if not patience.wait():
            self._trouble = f"{self._store.place} does not answer"
        if self._trouble is None:
            if testament.mine:
                testament.mine.take_back()
        elif testament.mine:  # the command has another try, and tells if it comes to nothing
            self._row.update(self._ended())
            self._leave(masked_texts(record.get("blocks", ())))
        else:
            self._told(f"warning: this run is not in the history: {self._trouble}")

    def _leave(self, blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        if testament.mine:
            testament.mine.leave({"root": str(self._facts.root), "row": self._row, "blocks": blocks})

    # -- in the thread

    def _keep(self) -> None:
        try:
            self._write()
            if (commit := commit_of(self._facts.root)) is not None:
                self._row.update(git_commit=commit.hash, git_dirty=int(commit.dirty))
            while not self._over.wait(HEARTBEAT_S):
                self._beat()
            self._record = masked_texts(self._record)
            self._row.update(self._ended())
            self._write((self._record or {}).get("blocks", ()))
        except Exception as error:  # noqa: BLE001 - a block may have changed what this needs; the run has its end to tell
            self._trouble = f"{type(error).__name__}: {error}"

    def _begun(self) -> dict[str, Any]:
        facts, now = self._facts, time.time()
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row.update(
            run_id=facts.run_id,
            pipeline=facts.pipeline,
            status="running",
            trigger_name=f"{RESUMES}{facts.resumes}" if facts.resumes else facts.trigger_name,
            backfill_id=facts.backfill_id,
            parent_run_id=facts.parent_run_id,
            alerts=int(facts.alerts),
            execution_date=moment_text(facts.execution_date),
            interval_end=moment_text(facts.interval_end) if facts.interval_end else None,
            variables=variables_text(facts.variables),
            variables_key=variables_key(facts.variables),
            code=dumps(code_hashes(facts.files)),
            started_at=now,
            heartbeat_at=now,
            warnings="[]",
            **asdict(this_process()),
        )
        with suppress(KeyError):  # a container may run under a number that has no name
            row["started_by"] = pwd.getpwuid(os.getuid()).pw_name
        return row

    def _ended(self) -> dict[str, Any]:
        record = self._record or {}
        return {
            "status": record.get("status"),
            "ended_at": time.time(),
            "seconds": record.get("seconds"),
            "row_count": rows_at_end(record.get("blocks", ())),
            "peak_rss_bytes": record.get("peak_rss_bytes"),
            "warnings": dumps(record.get("warnings", []), ensure_ascii=False),
            "error": record.get("error"),
            "exit_code": self._exit_code,
        }

    def _write(self, blocks: Sequence[Mapping[str, Any]] | None = None) -> None:
        assert self._store is not None  # noqa: S101 - the thread runs only with one
        try:
            put(self._store, self._row, blocks)
            self._trouble = None
        except HistoryUnavailable as error:
            self._trouble = f"{error.what} ({error.where})" if error.where else error.what

    def _beat(self) -> None:
        """One missed beat is no trouble: the next one, or the end, says whether there is any."""
        assert self._store is not None  # noqa: S101 - the thread runs only with one
        with suppress(HistoryUnavailable), self._store.transaction(write=True) as transaction:
            transaction.run(_BEAT, now=self._store.now(transaction), run_id=self._facts.run_id)

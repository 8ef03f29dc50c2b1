"""Writes one run into the history while it goes on, from a thread of its own: the run never waits for the store."""

from __future__ import annotations

import json
import os
import pwd
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from mage_project.errors import HistoryUnavailable
from mage_project.history.facts import (
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
from mage_project.history.receipts import contents, seal
from mage_project.history.stores import Store, Told

#: How long the end of a run waits for a store that does not answer.
PATIENCE_S = 3.0

_COLUMNS = (
    *("run_id", "pipeline", "status", "trigger_name", "backfill_id", "execution_date", "interval_end", "variables"),
    *("variables_key", "git_commit", "git_dirty", "code", "started_by", "host", "pid", "pid_started", "started_at"),
    *("heartbeat_at", "ended_at", "seconds", "row_count", "peak_rss_bytes", "warnings", "error", "exit_code"),
    "parent_run_id",
)
#: The same statement at the start and at the end: a store that was away, or is new, gets the whole run then.
_PUT_RUN = (
    f"INSERT INTO run ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) "  # noqa: S608
    f"ON CONFLICT (run_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
)
_PUT_BLOCK = (
    "INSERT INTO block_run (run_id, place, uuid, status, record) VALUES (:run_id, :place, :uuid, :status, :record)"
)
_BEAT = "UPDATE run SET heartbeat_at = :now WHERE run_id = :run_id"


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
        self._trouble: HistoryUnavailable | None = None
        self._row: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._keep, name="history", daemon=True)

    def start(self) -> None:
        if self._store is not None:
            self._thread.start()

    def end(self, record: Mapping[str, Any], exit_code: int) -> None:
        """Write how the run ended. Never raises, and waits at most `PATIENCE_S`."""
        if self._store is None:
            return
        self._record, self._exit_code = record, exit_code
        self._over.set()
        self._thread.join(PATIENCE_S)
        if self._thread.is_alive():
            self._told(f"warning: this run is not in the history: {self._store.place} does not answer")
        elif self._trouble:
            where = f" ({self._trouble.where})" if self._trouble.where else ""
            self._told(f"warning: this run is not in the history: {self._trouble.what}{where}")

    # -- in the thread

    def _keep(self) -> None:
        self._row = self._begun()
        self._write()
        if (commit := commit_of(self._facts.root)) is not None:
            self._row.update(git_commit=commit.hash, git_dirty=int(commit.dirty))
        while not self._over.wait(HEARTBEAT_S):
            self._beat()
        self._record = masked_texts(self._record)
        self._row.update(self._ended())
        self._write(self._record)

    def _begun(self) -> dict[str, Any]:
        facts, now = self._facts, time.time()
        row: dict[str, Any] = dict.fromkeys(_COLUMNS)
        row.update(
            run_id=facts.run_id,
            pipeline=facts.pipeline,
            status="running",
            trigger_name=facts.trigger_name,
            backfill_id=facts.backfill_id,
            parent_run_id=facts.parent_run_id,
            execution_date=moment_text(facts.execution_date),
            interval_end=moment_text(facts.interval_end) if facts.interval_end else None,
            variables=variables_text(facts.variables),
            variables_key=variables_key(facts.variables),
            code=json.dumps(code_hashes(facts.files)),
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
            "warnings": json.dumps(record.get("warnings", []), ensure_ascii=False),
            "error": record.get("error"),
            "exit_code": self._exit_code,
        }

    def _write(self, ended: Mapping[str, Any] | None = None) -> None:
        """Write the run; one that has `ended` with its blocks and its receipt."""
        run_id, blocks = self._facts.run_id, ended["blocks"] if ended else ()
        rows = [
            {
                **{"run_id": run_id, "place": place, "uuid": block["uuid"], "status": block["status"]},
                "record": json.dumps(block, ensure_ascii=False, default=str),
            }
            for place, block in enumerate(blocks)
        ]
        assert self._store is not None  # noqa: S101 - the thread runs only with one
        try:
            with self._store.transaction(write=True) as transaction:
                transaction.run(_PUT_RUN, **{**self._row, "heartbeat_at": self._store.now(transaction)})
                transaction.run_many(_PUT_BLOCK, rows)
                if ended:
                    seal(transaction, "run", contents(self._row, blocks))
            self._trouble = None
        except HistoryUnavailable as error:
            self._trouble = error

    def _beat(self) -> None:
        """One missed beat is no trouble: the next one, or the end, says whether there is any."""
        assert self._store is not None  # noqa: S101 - the thread runs only with one
        with suppress(HistoryUnavailable), self._store.transaction(write=True) as transaction:
            transaction.run(_BEAT, now=self._store.now(transaction), run_id=self._facts.run_id)

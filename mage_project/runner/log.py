"""Writes the log of a run: what its blocks print and log, warnings, errors, and what began and ended when."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mage_project.history import private
from mage_project.history.logs import BLOCK_STATUS, ENDED
from mage_project.masking import masked
from mage_project.runner import speech
from mage_project.runner.outlets import Outlet
from mage_project.runner.records import BlockRecord, RunRecord
from mage_project.runner.reporting import Reporter

#: A block that prints more fills no disk: the rest of what it says is left out, errors and the end are not.
LIMIT_BYTES = 50_000_000


class Log:
    """A file of JSON lines, each written whole. A file that cannot be written is given up: no run fails for its log."""

    def __init__(
        self, path: Path, *, limit_bytes: int = LIMIT_BYTES, given_up: Callable[[], None] = lambda: None
    ) -> None:
        """`given_up` is called where a line could not be written, and no more will be."""
        self._given_up = given_up
        self._left, self._is_full = limit_bytes, False
        self._lock = threading.Lock()
        #: Why there is no log, or no more of it.
        self.trouble: OSError | None = None
        self._file: Outlet | None = None
        try:
            private.folder(path.parent)
            self._file = Outlet(os.open(private.file(path), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        except OSError as error:
            self.trouble = error

    def write(self, level: str, block: str | None, text: str, *, always: bool = False, **more: str) -> None:
        """Write a line; where the log is full, only what is `always` written."""
        with self._lock:
            if self._file is None or (self._is_full and not always):
                return
            self._put(_line(level, block, masked(text[: speech.LONGEST]), **more))
            if self._left <= 0 and not self._is_full:
                self._is_full = True
                self._put(_line("warning", None, "the log is full: more of what blocks say is left out"))

    def end(self, run: RunRecord) -> None:
        """Write how the run ended, and close the file."""
        self.write("info", None, f"{run.status} after {run.seconds:.2f} s", always=True, **{ENDED: run.status})
        self.close()

    def close(self) -> None:
        with self._lock:
            self._close()

    def _put(self, line: bytes) -> None:
        try:
            if self._file is not None:
                self._file.write(line)
        except OSError as error:  # a full disk
            self.trouble = error
            self._close()
            self._given_up()
        self._left -= len(line)

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None


def _line(level: str, block: str | None, text: str, **more: str) -> bytes:
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"time": moment, "block": block, "level": level, "text": text, **more}
    return f"{json.dumps(line, ensure_ascii=False)}\n".encode(errors="replace")


class Logged:
    """A reporter that tells another one, and the log."""

    def __init__(self, inner: Reporter, log: Log) -> None:
        self._inner = inner
        self._log = log

    def run_started(self, run: RunRecord) -> None:
        self._inner.run_started(run)
        self._log.write("info", None, f"run {run.run_id} of {run.pipeline}")

    def block_started(self, block: BlockRecord) -> None:
        self._inner.block_started(block)
        self._log.write("info", block.uuid, "started", always=True, **{BLOCK_STATUS: "running"})

    def progress(self, block: BlockRecord) -> None:
        self._inner.progress(block)

    def download(self, block: BlockRecord, done: int, total: int | None, what: str) -> None:
        self._inner.download(block, done, total, what)
        if total is not None and done >= total:
            self._log.write("info", block.uuid, f"{what}: {done / 1e6:.1f} MB")

    def said(self, block: str | None, line: str) -> None:
        self._inner.said(block, line)
        plain = line.removeprefix("warning: ")
        self._log.write(speech.level() if plain == line else "warning", block, plain)

    def block_ended(self, block: BlockRecord) -> None:
        self._inner.block_ended(block)
        rows = block.rows_out if block.rows_out is not None else block.rows_in
        counted = "" if rows is None else f", {rows:,} rows"
        text = f"{block.status} in {block.seconds:.2f} s{counted}"
        self._log.write("info", block.uuid, text, always=True, **{BLOCK_STATUS: block.status})

    def run_ended(self, run: RunRecord) -> None:
        self._inner.run_ended(run)
        if run.error:
            failed = next((block.uuid for block in run.blocks if block.status == "failed"), None)
            self._log.write("info" if run.status == "not_published" else "error", failed, run.error, always=True)

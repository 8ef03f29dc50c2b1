"""Reporters: bars on a terminal, plain lines in a pipe, one JSON object for machines."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from mage_project.cli.check_tables import checks_table, counted
from mage_project.cli.tables import count, run_table
from mage_project.masking import masked
from mage_project.runner.records import BlockRecord, RunRecord
from mage_project.runner.reporting import Reporter, Silent

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def reporter_for(*, as_json: bool, again: str | None = None) -> Reporter:
    """`again` is the command that is told as the next step when the run has failed."""
    if as_json:
        return JsonReporter(sys.stdout, sys.stderr)
    if sys.stdout.isatty():
        return TerminalReporter(sys.stdout, again)
    return PlainReporter(sys.stdout, again)


def _print(line: str, out: TextIO) -> None:
    """Print the line. When nobody reads any more (`| head`), the run goes on unheard: its work matters more."""
    try:
        print(_printable(masked(line), out), file=out, flush=True)
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    except (OSError, ValueError):  # a full disk; a block has closed it
        return


def _printable(line: str, out: TextIO) -> str:
    """The line with escapes for what the output's encoding does not have: halves of characters, most often."""
    encoding = out.encoding or "utf-8"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return line.encode(encoding, "backslashreplace").decode(encoding)
    return line


class PlainReporter(Silent):
    """Lines as things happen, and the table at the end."""

    def __init__(self, out: TextIO, again: str | None = None) -> None:
        self._out = out
        self._again = again
        self._lock = threading.Lock()
        self._told: dict[str, float] = {}

    def say(self, line: str) -> None:
        with self._lock:
            _print(line, self._out)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Inside, the terminal is somebody else's."""
        yield

    def run_started(self, run: RunRecord) -> None:
        self.say(f"run {run.run_id} of {run.pipeline}")

    def block_started(self, block: BlockRecord) -> None:
        self.say(f"{block.uuid}: started")

    def download(self, block: BlockRecord, done: int, total: int | None, what: str) -> None:
        """At most a line every five seconds for each file, and one when it is complete."""
        now = time.monotonic()
        complete = total is not None and done >= total
        if complete or now - self._told.get(what, now - 6) > 5:
            self._told[what] = now
            of = f" of {total / 1e6:.1f}" if total else ""
            self.say(f"{block.uuid}: {what}: {done / 1e6:.1f}{of} MB")

    def said(self, block: str | None, line: str) -> None:
        self.say(f"{block}: {line}" if block else line)

    def block_ended(self, block: BlockRecord) -> None:
        if block.status == "completed" and (block.rows_out or block.rows_in) is not None:
            self.say(
                f"{block.uuid}: done, {count(block.rows_out if block.rows_out is not None else block.rows_in)} rows"
            )

    def run_ended(self, run: RunRecord) -> None:
        parts = [run_table(run), *(checks_table(f"checks of {block.uuid}", block.checks) for block in run.every)]
        self.say("\n" + "\n\n".join(part for part in parts if part) + "\n")
        self.say(_verdict(run, self._again))


class JsonReporter(Silent):
    """One JSON object on `out` at the end; what blocks say goes to `err`."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err

    def said(self, block: str | None, line: str) -> None:
        _print(f"{block}: {line}" if block else line, self._err)

    def run_ended(self, run: RunRecord) -> None:
        _print(json.dumps(run.as_dict(), ensure_ascii=False), self._out)


class TerminalReporter(PlainReporter):
    """A bar for each block that runs: rows as they pass, bytes as they come."""

    def __init__(self, out: TextIO, again: str | None = None) -> None:
        super().__init__(out, again)
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def run_started(self, run: RunRecord) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figure]}"),
            TimeElapsedColumn(),
            transient=True,
            # What blocks print comes here by `said`. Bars that followed a redirected sys.stdout would come as well.
            console=Console(file=self._out),
            redirect_stdout=False,
            redirect_stderr=False,
        )
        super().run_started(run)
        self._progress.start()

    def say(self, line: str) -> None:
        if self._progress and self._progress.live.is_started:
            self._progress.console.print(masked(line), markup=False, highlight=False, soft_wrap=True)
        else:
            super().say(line)

    @contextmanager
    def paused(self) -> Iterator[None]:
        bars = self._progress if self._progress and self._progress.live.is_started else None
        if bars:
            bars.stop()
        try:
            yield
        finally:
            if bars:
                bars.start()

    def block_started(self, block: BlockRecord) -> None:
        self._task(block.uuid, block.uuid)

    def progress(self, block: BlockRecord) -> None:
        rows = block.rows_out if block.rows_out is not None else block.rows_in
        self._update(block.uuid, f"{count(rows)} rows")

    def download(self, block: BlockRecord, done: int, total: int | None, what: str) -> None:
        task = self._task(what, f"{block.uuid}: {what}")
        if self._progress:
            figure = f"{done / 1e6:.1f}{f' of {total / 1e6:.1f}' if total else ''} MB"
            self._progress.update(task, completed=done, total=total, figure=figure, visible=not total or done < total)

    def block_ended(self, block: BlockRecord) -> None:
        if self._progress and block.uuid in self._tasks:
            self._progress.update(self._tasks[block.uuid], visible=False)

    def run_ended(self, run: RunRecord) -> None:
        if self._progress:
            self._progress.stop()
        super().run_ended(run)

    def _task(self, key: str, description: str) -> TaskID:
        assert self._progress is not None  # noqa: S101 - started with the run
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(description, total=None, figure="")
        return self._tasks[key]

    def _update(self, key: str, figure: str) -> None:
        if self._progress and key in self._tasks:
            self._progress.update(self._tasks[key], figure=figure)


def _verdict(run: RunRecord, again: str | None) -> str:
    tests = [test for block in run.blocks for test in block.tests if test.ran]
    passed = sum(test.passed for test in tests)
    checks = [check for block in run.every for check in block.checks]
    of_checks = f", {counted(checks)}" if checks else ""
    figures = f"{run.seconds:.2f} s, {run.peak_rss_bytes / 1e6:,.0f} MB at the most"
    if run.status in ("completed", "sampled"):
        done = "completed in" if run.status == "completed" else "was tried on a sample, nothing is written: it took"
        return f"✓ {run.pipeline} {done} {figures}; {passed} of {len(tests)} tests passed{of_checks}"
    again = run.resume or again
    last = f"\n  next:  {again}" if again else ""
    ended = "· {} is not published yet" if run.status == "not_published" else f"✗ {{}} failed after {figures}"
    return f"{ended.format(run.pipeline)}\n{run.error}{last}"

"""How a backfill is shown: bars on a terminal, plain lines in a pipe, a table at the end."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any, Self, TextIO

from mage_project.cli.tables import aligned, count
from mage_project.masking import masked
from mage_project.schedule.children import Child
from mage_project.schedule.intervals import Interval
from mage_project.schedule.receipts import Outcome, Receipt

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: Characters of an error that a line shows.
_WIDTH = 90
_MARKS = {"completed": "✓", "failed": "✗", "crashed": "✗"}


class PlainReporter:
    """A line when a run starts and when it has ended."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def say(self, line: str) -> None:
        print(masked(line), file=self._out, flush=True)

    def begun(self, runs: int) -> None: ...

    def started(self, child: Child) -> None:
        self.say(f"{child.interval.name}: started")

    def progress(self, child: Child) -> None: ...

    def waiting(self, interval: Interval, why: str) -> None:
        self.say(f"{interval.name}: waiting, {why}")

    def ended(self, outcome: Outcome, *, done: int, of: int) -> None:
        self.say(f"{_MARKS.get(outcome.status, '·')} {outcome.interval.name}: {_said(outcome)} ({done} of {of})")

    def stopping(self, signum: int) -> None:
        self.say(f"{signal.Signals(signum).name}: the runs that have begun roll back, or finish their commit")


class TerminalReporter(PlainReporter):
    """A bar for the whole, and a line for each run that goes on."""

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        self._progress: Progress = _bars(out)
        self._tasks: dict[Interval, TaskID] = {}
        self._whole: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        self._progress.console.print(masked(line), markup=False, highlight=False, soft_wrap=True)

    def begun(self, runs: int) -> None:
        self._whole = self._progress.add_task("all", total=runs, figure=f"0 of {runs}")

    def started(self, child: Child) -> None:
        self._tasks[child.interval] = self._progress.add_task(child.interval.name, total=None, figure="")

    def progress(self, child: Child) -> None:
        rows = f"{count(child.rows)} rows" if child.rows is not None else ""
        self._progress.update(self._tasks[child.interval], figure=f"{child.block} {rows}")

    def ended(self, outcome: Outcome, *, done: int, of: int) -> None:
        super().ended(outcome, done=done, of=of)
        if outcome.interval in self._tasks:
            self._progress.remove_task(self._tasks.pop(outcome.interval))
        if self._whole is not None:
            self._progress.update(self._whole, completed=done, figure=f"{done} of {of}")


def reporter_for(*, as_json: bool) -> PlainReporter:
    """With --json the lines go to standard error."""
    if as_json:
        return PlainReporter(sys.stderr)
    return TerminalReporter(sys.stdout) if sys.stdout.isatty() else PlainReporter(sys.stdout)


def receipt_table(receipt: Receipt, again: str) -> str:
    """What became of each interval, and the sums. `again`: the command that goes on with what is not completed."""
    lines = [
        (
            f"{_MARKS.get(outcome.status, '·')} {outcome.interval.name}",
            outcome.status.replace("_", " "),
            count(outcome.rows),
            "" if outcome.seconds is None else f"{outcome.seconds:.2f} s",
            _first_line(outcome.error) or outcome.why or "",
        )
        for outcome in receipt.outcomes
    ]
    totals = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in receipt.totals.items())
    parts = [aligned(("  interval", "status", "rows", "time", ""), lines, right=(2, 3))]
    parts += [f"{outcome.interval.name}: {outcome.log}" for outcome in receipt.outcomes if outcome.is_failure]
    mark = "✓" if receipt.exit_code == 0 else "✗"
    parts.append(f"{mark} {receipt.pipeline}: {totals}; {receipt.rows:,} rows in {receipt.seconds:.2f} s")
    if receipt.exit_code:
        parts[-1] += f"\n  next:  {again}"
    return masked("\n" + "\n\n".join(parts))


def _said(outcome: Outcome) -> str:
    status = outcome.status.replace("_", " ")
    rows = None if outcome.rows is None else f"{count(outcome.rows)} rows"
    seconds = None if outcome.seconds is None else f"{outcome.seconds:.2f} s"
    error = None if outcome.status == "completed" else _first_line(outcome.error)
    return ", ".join(part for part in (status, rows, seconds, error, outcome.why) if part)


def _first_line(text: str | None) -> str | None:
    """Of an error; the whole of it is in the log, and in `runs show`."""
    if not text:
        return None
    first = text.splitlines()[0]
    return first if len(first) <= _WIDTH else f"{first[: _WIDTH - 1]}…"


def _bars(out: TextIO) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[figure]}"),
        TimeElapsedColumn(),
        transient=True,
        console=Console(file=out),
    )

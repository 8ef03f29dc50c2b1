"""How a run ended, as its record says it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mage_project.errors import MageProjectError
from mage_project.runner.blame import text_of
from mage_project.runner.interrupts import Interrupted
from mage_project.runner.records import RunRecord

if TYPE_CHECKING:
    from mage_project.runner.run import Run

#: Statuses of blocks that a signal could not stop any more.
_DONE = ("completed", "skipped", "condition_failed")


def failed(record: RunRecord, errors: Sequence[MageProjectError], root: Path) -> None:
    """The run failed for these errors: one, or those of all blocks where blocks may fail."""
    texts = [str(error.within(root)) for error in errors]
    record.exit_code = max(error.exit_code for error in errors)
    record.status, record.error = "failed", "\n".join([f"{len(errors)} blocks failed", *texts])
    if len(errors) == 1:
        record.status, record.error = "not_published" if errors[0].not_published else "failed", texts[0]


def fault(error: BaseException) -> MageProjectError:
    """The error for what should not happen: a fault of this package, or of what a block has made of the process."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return MageProjectError(
        f"{type(error).__name__}: {text_of(error)}",
        where=f"{frame.filename}:{frame.lineno} in {frame.name}",
        hint="this is not the pipeline's fault alone: please report it, with this line",
    )


def interrupted(record: RunRecord, error: Interrupted) -> None:
    """A signal ended the run."""
    record.status, record.exit_code = "failed", error.exit_code
    done = all(block.status in _DONE for block in record.blocks)
    state = "everything had been committed before" if done else "what was not finished is rolled back"
    record.error = f"interrupted ({error}): {state}"


def close(run: Run, started: float) -> None:
    """The end of every run: what is kept of it, and its last word."""
    record = run.record
    if not run.inputs and not run.limits.sample_rows:
        rows = {block.uuid: block.rows_out for block in record.blocks}
        completed = {block.uuid for block in record.blocks if block.status == "completed"}
        run.kept.close(rows, completed, run.part.running)
    record.seconds, record.cpu_seconds = time.perf_counter() - started, run.meter.cpu_seconds
    record.peak_rss_bytes = run.meter.peak_rss_bytes
    for uuid, size_bytes in run.budget.spilled_bytes.items() if run.budget else ():
        record.block(uuid).spilled_bytes = size_bytes
    for block in record.blocks:
        if block.status == "running":
            block.status = "cancelled"
    if record.status == "failed" and not run.inputs and not run.limits.sample_rows:
        _keep_to_resume(run)
    run.reporter.run_ended(record)


def _keep_to_resume(run: Run) -> None:
    try:
        from mage_project.runner import failures
    except OSError as error:  # a block has left no file to be opened
        run.warned(None, f"what was done could not be kept to resume this run: {error}")
        return

    # A signal that comes only now finds a run that has ended already.
    with suppress(Interrupted), run.interrupts.shielded():
        taken = {uuid: value for turn in run.turns for uuid, value in turn.taken.items()}
        run.record.resume = failures.keep(run, {**run.part.outputs, **run.values.held(), **taken})

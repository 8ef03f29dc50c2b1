"""How a run ended, as its record says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mage_project.errors import MageProjectError
from mage_project.runner.interrupts import Interrupted
from mage_project.runner.records import RunRecord

#: Statuses of blocks that a signal could not stop any more.
_DONE = ("completed", "skipped", "condition_failed")


def failed(record: RunRecord, errors: Sequence[MageProjectError], root: Path) -> None:
    """The run failed for these errors: one, or those of all blocks where blocks may fail."""
    texts = [str(error.within(root)) for error in errors]
    record.exit_code = max(error.exit_code for error in errors)
    record.status, record.error = "failed", "\n".join([f"{len(errors)} blocks failed", *texts])
    if len(errors) == 1:
        record.status, record.error = "not_published" if errors[0].not_published else "failed", texts[0]


def interrupted(record: RunRecord, error: Interrupted) -> None:
    """A signal ended the run."""
    record.status, record.exit_code = "failed", error.exit_code
    done = all(block.status in _DONE for block in record.blocks)
    state = "everything had been committed before" if done else "what was not finished is rolled back"
    record.error = f"interrupted ({error}): {state}"

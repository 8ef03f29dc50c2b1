"""How the run of a pipeline for a date stands, and one of its blocks: what other pipelines wait for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from mage_project.history import logs
from mage_project.history.runs import StoredRun, details, of_dates
from mage_project.history.stores import Store


def of_last_date(store: Store, pipeline: str, first: datetime, last: datetime) -> list[StoredRun]:
    """The runs of the last execution date from `first` to `last`, the newest first; samples do not count."""
    runs = [run for run in of_dates(store, pipeline, first, last) if run.status != "sampled"]
    date = max((run.execution_date for run in runs), default=None)
    return [run for run in runs if run.execution_date == date]


def of_block(store: Store, root: Path, runs: Sequence[StoredRun], uuid: str) -> tuple[str | None, StoredRun | None]:
    """How a block, or a dynamic child, stands in the newest of the runs that it was a part of, and that run.

    A run that was resumed has passed over what had been completed before. None while a run may still bring it.
    """
    is_awaited = False
    for run in runs:
        status = _statuses(store, root, run).get(uuid, "running" if run.is_running else "pending")
        if status == "completed" or (status not in ("running", "skipped") and not is_awaited):
            return status, run
        is_awaited = is_awaited or run.is_running
    return None, None


def _statuses(store: Store, root: Path, run: StoredRun) -> dict[str, str]:
    """The blocks that have ended, of a run that has not by its log; and of one that could not write down how it did."""
    blocks: list[dict[str, Any]] = details(store, run.run_id).blocks
    if not blocks:
        with suppress(OSError):  # of another machine or user, or before its first line
            found = logs.block_statuses(logs.path_of(root, run.run_id))
            return {uuid: status for uuid, status in found.items() if status != "running"}
    every = [*blocks, *(child for block in blocks for child in block.get("children") or ())]
    return {block["uuid"]: block["status"] for block in every}

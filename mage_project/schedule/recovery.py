"""What became of a run whose scheduler is gone: the history of runs knows, for the run itself has told it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from mage_project.history.runs import StoredRun, last_to_resume, named, of_dates
from mage_project.history.schedules import DueRun
from mage_project.history.stores import Store

#: A run that is killed so often, or takes its scheduler with it, is not begun again.
ATTEMPTS = 3


def recovered(store: Store, due: DueRun, *, may_still_begin: bool) -> DueRun:
    """The due run as it stands: `running` while it goes on, `waiting` where it left nothing and is to be done again.

    `may_still_begin`: its process may be there, and not have told the history yet.
    """
    run = named(store, due.run_id) if due.run_id else _of_date(store, due)
    if run is None:
        return due if may_still_begin else replace(due, status="waiting")
    if not run.is_running:
        run = last_to_resume(store, run)
    if run.is_running:
        return due
    if not _left_nothing(run):
        return replace(due, status=run.status, run_id=run.run_id, reason=run.error and run.error.splitlines()[0])
    if due.attempts < ATTEMPTS:
        return replace(due, status="waiting", reason="its scheduler was gone")
    return replace(due, status="crashed", run_id=run.run_id, reason=f"it ended with its scheduler {ATTEMPTS} times")


def _of_date(store: Store, due: DueRun) -> StoredRun | None:
    """For a run that was given no name: an older version has started it."""
    moment = datetime.fromtimestamp(due.due_at, UTC).replace(tzinfo=None)
    runs = of_dates(store, due.pipeline, moment, moment)
    return next((run for run in runs if run.trigger == due.trigger_name), None)


def _left_nothing(run: StoredRun) -> bool:
    """Whether it crashed, or rolled back because of a signal (exit code 128 + n)."""
    return run.status == "crashed" or (run.status != "completed" and (run.exit_code or 0) > 128)

"""A run as Mage's API tells of it, and what this project knows besides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mage_project.history.facts import without_secrets
from mage_project.history.occasions import Occasion
from mage_project.history.runs import StoredRun
from mage_project.history.schedules import DueRun
from mage_project.schedule.catalogue import number_of

#: Mage's words for how a run stands. What is not among them has failed.
_STATUS = {"waiting": "initial", "running": "running", "completed": "completed", "skipped": "cancelled"}


def pipeline_run(occasion: Occasion, due: DueRun, run: StoredRun | None) -> dict[str, Any]:
    """`id` is the number of the request, `run_id` the run's name in the history, once it has one.

    `status` is Mage's word, `reason` says why it waits, was skipped or failed. Secrets are hidden.
    """
    asked_at = _moment(due.due_at)
    return {
        "id": occasion.number,
        "created_at": asked_at,
        "pipeline_schedule_id": number_of(occasion.pipeline, occasion.trigger_name),
        "pipeline_schedule_name": occasion.trigger_name,
        "pipeline_uuid": occasion.pipeline,
        "execution_date": occasion.execution_date or asked_at,
        "status": _STATUS.get(due.status, "failed"),
        "started_at": _moment(run.started_at) if run else None,
        "completed_at": _moment(run.ended_at) if run else None,
        "variables": without_secrets(occasion.variables),
        "backfill_id": None,
        "run_id": due.run_id,
        "reason": due.reason,
        "exit_code": run.exit_code if run else None,
        "rows": run.rows if run else None,
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()

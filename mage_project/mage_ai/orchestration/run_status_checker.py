"""mage_ai.orchestration.run_status_checker: sensors that wait for another pipeline."""

from __future__ import annotations

from datetime import UTC as _UTC
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from mage_project.errors import BlockError, did_you_mean
from mage_project.history import standing
from mage_project.history.runs import StoredRun
from mage_project.mage_ai.child_runs import history
from mage_project.mage_ai.parentage import parent
from mage_project.mage_ai.settings.repo import get_repo_path
from mage_project.project import Project

#: What nobody has to wait for any more.
_FAILURES = ("failed", "crashed", "not_published")
#: A block of these, in a run that has ended, did not run because another one failed, or the run was stopped.
_NOT_REACHED = ("cancelled", "pending", "running", "upstream_failed")


def check_status(
    pipeline_uuid: str,
    execution_date: datetime,
    repo_path: str | None = None,
    block_uuid: str | None = None,
    hours: int = 24,
) -> bool:
    """Whether the pipeline, or one block of it, has completed its run for this date: what a sensor may return.

    That is the run with the last execution date of the `hours` up to `execution_date` (UTC); of several runs for that
    date the one that began last. False while there is none, or it goes on. BlockError when it has failed, and for a
    pipeline or a block that is not there. Runs by hand and of backfills count like those of triggers; samples do not.
    """
    root = Path(repo_path or get_repo_path())
    _check_names(root, pipeline_uuid, block_uuid)
    last = _moment(execution_date)
    store = history(root)
    if store is None:
        what = f"nobody knows whether '{pipeline_uuid}' has run: the history is switched off"
        raise BlockError(what, hint="unset MAGE_PROJECT_HISTORY, or name a file in it")
    runs = standing.of_last_date(store, pipeline_uuid, last - _window(hours), last)
    if not runs:
        return False
    if block_uuid is None:
        return _has_completed(runs[0])
    status, run = standing.of_block(store, root, runs, block_uuid)
    if run and (status == "failed" or (status in _NOT_REACHED and not run.is_running)):
        _stop(run, f"block '{block_uuid}' of it {'failed' if status == 'failed' else 'did not run'}")
    return status == "completed"


def _has_completed(run: StoredRun) -> bool:
    above = parent()
    if above and above.run_id == run.run_id:
        what = f"this sensor waits for the end of the run that it is a part of ({run.run_id})"
        raise BlockError(what, hint="name another pipeline, or an earlier execution_date, or a block_uuid")
    if run.status in _FAILURES:
        first, *_ = (run.error or run.status).splitlines()
        _stop(run, first)
    return run.status == "completed"


def _stop(run: StoredRun, why: str) -> NoReturn:
    what = f"what this sensor waits for has failed: run {run.run_id} of {run.pipeline} for {run.execution_date}: {why}"
    raise BlockError(what, hint=f"mage-project runs show {run.run_id}")


def _check_names(root: Path, pipeline: str, block: str | None) -> None:
    found = Project(root).inspect(pipeline)[0]
    names = [each.uuid for each in found.blocks]
    if block is not None and str(block).partition(":")[0] not in names:
        what = f"pipeline '{pipeline}' has no block '{block}'.{did_you_mean(str(block), names)}"
        raise BlockError(what, hint=f"its blocks: {', '.join(names) or 'none'}")


def _moment(given: Any) -> datetime:
    """In UTC, without a zone, as the history has them."""
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        what = f"the execution_date of check_status is not a date: {given!r}"
        raise BlockError(what, hint="give it kwargs['execution_date']") from None
    return moment.astimezone(_UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _window(hours: Any) -> timedelta:
    if isinstance(hours, (int, float)) and not isinstance(hours, bool) and 0 <= hours <= 24 * 365 * 100:
        return timedelta(hours=hours)
    raise BlockError(f"the hours of check_status must be a number of them, not {hours!r}", hint="hours=24 is a day")

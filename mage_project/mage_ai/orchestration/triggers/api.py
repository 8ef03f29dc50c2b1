"""mage_ai.orchestration.triggers.api: a block that runs another pipeline."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mage_project.errors import BlockError
from mage_project.history import occasions
from mage_project.io.config import has_overrides
from mage_project.mage_ai import child_runs
from mage_project.mage_ai.child_arguments import checked
from mage_project.mage_ai.parentage import parent
from mage_project.mage_ai.settings.repo import get_repo_path
from mage_project.mage_ai.shared.enum import StrEnum
from mage_project.project import Project

#: Mage's name for the trigger of runs that blocks start.
_TRIGGER_NAME = "API_TRIGGER_CREATED_FROM_CODE"
#: Mage's words for how a due run stands. What is not among them has failed.
_STATUS = {"waiting": "initial", "running": "running", "completed": "completed", "skipped": "cancelled"}


class PipelineRun:
    """A run that a block has started. `status` is how it stood when `refresh` was called last, in Mage's words.

    `id` is the run's name in the history; of one that is left to a scheduler, the number of the request.
    """

    class PipelineRunStatus(StrEnum):
        INITIAL = "initial"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    def __init__(
        self,
        pipeline_uuid: str,
        variables: Mapping[str, Any],
        execution_date: datetime | None,
        *,
        child: child_runs.ChildRun | None = None,
        number: int = 0,
    ) -> None:
        self.pipeline_uuid, self.variables, self.execution_date = pipeline_uuid, variables, execution_date
        self.id: str | int = child.run_id if child else number
        self.status = self.PipelineRunStatus.INITIAL
        self._child, self._number = child, number
        self.refresh()

    def refresh(self) -> None:
        """Look how it stands now."""
        self.status = self.PipelineRunStatus(self._child.status if self._child else self._of_scheduler())

    def __repr__(self) -> str:
        return f"PipelineRun(id={self.id}, pipeline_uuid={self.pipeline_uuid}, status={self.status.value})"

    def _of_scheduler(self) -> str:
        store = child_runs.history(Path(get_repo_path()))
        if store is None:
            return "initial"
        with store.transaction() as transaction:
            found = occasions.numbered(transaction, self._number)
        return _STATUS.get(found[1].status, "failed") if found else "cancelled"


def trigger_pipeline(
    pipeline_uuid: str,
    repo_path: str | None = None,
    variables: Mapping[str, Any] | None = None,
    check_status: bool = False,
    error_on_failure: bool = False,
    poll_interval: float = 60,
    poll_timeout: float | None = None,
    schedule_name: str | None = None,
    verbose: bool = True,
    remote_blocks: Any = None,
    return_remote_blocks: bool = False,
    _should_schedule: bool = False,
) -> PipelineRun:
    """Start a run of a pipeline of the project, and with `check_status` wait for its end.

    Without it the run is left to the scheduler that leads; where there is none it goes on beside this run, which waits
    for it at its end. The run is a child of this one: the history links the two, it gets this one's execution date
    unless `variables` have another, and it is stopped when this one is.

    With `check_status` it tells every `poll_interval` seconds how the run stands, if `verbose`, and raises BlockError
    for one that fails, if `error_on_failure`, and for one that takes longer than `poll_timeout` seconds, which is
    stopped. Always for pipelines that start each other without an end.
    """
    if remote_blocks or return_remote_blocks:
        raise BlockError("remote blocks are not known here", hint="hand over what the pipeline needs as variables")
    given = checked(
        pipeline_uuid=pipeline_uuid,
        variables=variables,
        poll_interval=poll_interval,
        poll_timeout=poll_timeout,
        schedule_name=schedule_name,
    )
    root = Path(repo_path or get_repo_path())
    Project(root).pipeline(pipeline_uuid)
    name, local = schedule_name or _TRIGGER_NAME, has_overrides()
    if not check_status and not local and (occasion := child_runs.leave_to_scheduler(root, pipeline_uuid, given, name)):
        return PipelineRun(pipeline_uuid, given, _date(occasion.execution_date), number=occasion.number)
    above = parent()
    child = child_runs.start(root, pipeline_uuid, given, name, local=local)
    run = PipelineRun(pipeline_uuid, given, above.execution_date if above else None, child=child)
    if check_status:
        _wait(run, child, poll_timeout, poll_interval, verbose=verbose, error_on_failure=error_on_failure)
    return run


def _wait(
    run: PipelineRun,
    child: child_runs.ChildRun,
    timeout_s: float | None,
    every_s: float,
    *,
    verbose: bool,
    error_on_failure: bool,
) -> None:
    def told(status: str) -> None:
        if verbose:
            print(f"run {child.run_id} of {run.pipeline_uuid}: {status}")

    told("running")
    try:
        status = child_runs.wait(child, timeout_s, every_s=every_s, told=told)
    except TimeoutError:
        what = f"pipeline '{run.pipeline_uuid}' ran longer than {timeout_s:g} s and was ended (run {child.run_id})"
        raise BlockError(what, hint="give trigger_pipeline a longer poll_timeout") from None
    told(status)
    run.refresh()
    words = child.last_words()
    if status == "failed":
        what = f"pipeline '{run.pipeline_uuid}', which this block runs, failed (run {child.run_id}):\n{words}"
        if error_on_failure:
            raise BlockError(what, hint=f"mage-project runs show {child.run_id}")
        warnings.warn(f"{what}\n    (with error_on_failure=True this block would fail too)", stacklevel=3)


def _date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

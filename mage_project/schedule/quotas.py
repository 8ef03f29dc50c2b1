"""How many runs of a trigger, and of a pipeline, go on, and whether one more may begin: `concurrency_config`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mage_project.history.runs import StoredRun
from mage_project.history.schedules import DueRun
from mage_project.schedule.catalogue import Entry


class Quotas:
    """Counts the due runs that go on; `others` are asked for only where a limit counts them as well.

    They are the runs that the history knows to go on: those by hand and of backfills count for the whole pipeline.
    """

    def __init__(self, running: Iterable[DueRun], others: Callable[[], list[StoredRun]]) -> None:
        self._running = list(running)
        self._find_others = others
        self._others: list[StoredRun] | None = None

    def reached(self, entry: Entry) -> str | None:
        """The limit that keeps one more run of the trigger from beginning, in words."""
        limits = entry.concurrency
        own = entry.trigger.settings.pipeline_run_limit or limits.pipeline_run_limit
        of_trigger = sum((run.pipeline, run.trigger_name) == entry.key for run in self._running)
        if own is not None and of_trigger >= own:
            return f"pipeline_run_limit: {_runs(of_trigger)} of this trigger, {own} may"
        whole = limits.pipeline_run_limit_all_triggers
        if whole is None:
            return None
        of_pipeline = sum(run.pipeline == entry.pipeline for run in self._running) + self._count_others(entry.pipeline)
        if of_pipeline < whole:
            return None
        return f"pipeline_run_limit_all_triggers: {_runs(of_pipeline)} of this pipeline, {whole} may"

    def begin(self, run: DueRun) -> None:
        self._running.append(run)

    def _count_others(self, pipeline: str) -> int:
        """The runs of the pipeline that no scheduler has started."""
        if self._others is None:
            self._others = self._find_others()
        ours = {run.run_id for run in self._running}
        return sum(run.pipeline == pipeline and run.run_id not in ours for run in self._others)


def _runs(count: int) -> str:
    return f"{count} run goes on" if count == 1 else f"{count} runs go on"

"""The run as callbacks and conditions see it: `kwargs['pipeline_run']`, by the names of Mage's PipelineRun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from mage_project.errors import did_you_mean

if TYPE_CHECKING:
    from mage_project.runner.records import RunRecord
    from mage_project.runner.run import Run


class PipelineRunStatus(StrEnum):
    """How a run stands, in Mage's words. While its callbacks are called it goes on."""

    RUNNING = "running"


class BlockRunStatus(StrEnum):
    """How a block of a run stands, in Mage's words."""

    INITIAL = "initial"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UPSTREAM_FAILED = "upstream_failed"
    CONDITION_FAILED = "condition_failed"


#: Of a block that is not run again, or not by this runner, Mage knows nothing but that it need not be waited for.
_WORDS = {"pending": "initial", "skipped": "completed"}


@dataclass(frozen=True, kw_only=True)
class BlockRun:
    """One block, or one run of a dynamic child."""

    block_uuid: str
    status: BlockRunStatus


@dataclass(frozen=True, kw_only=True)
class PipelineRun:
    """`id` is the name of the run in the history. `variables` are those that it was given, over the pipeline's."""

    id: str
    pipeline_uuid: str
    execution_date: datetime
    execution_partition: str
    variables: Mapping[str, Any]
    event_variables: Mapping[str, Any]
    pipeline_schedule_name: str | None
    every_variable: Mapping[str, Any]
    record: RunRecord = field(repr=False)
    status: PipelineRunStatus = PipelineRunStatus.RUNNING

    @cached_property
    def block_runs(self) -> tuple[BlockRun, ...]:
        """How the blocks stand when this is first asked: thousands of children each have a view, and few look."""
        return tuple(
            BlockRun(block_uuid=record.uuid, status=BlockRunStatus(_WORDS.get(record.status, record.status)))
            for record in self.record.every
        )

    def get_variables(self) -> dict[str, Any]:
        """All variables of the run, the pipeline's and Mage's own included."""
        return dict(self.every_variable)

    @property
    def completed_block_runs(self) -> list[BlockRun]:
        return self._that_are(BlockRunStatus.COMPLETED)

    @property
    def failed_block_runs(self) -> list[BlockRun]:
        return self._that_are(BlockRunStatus.FAILED)

    def any_blocks_failed(self) -> bool:
        return bool(self.failed_block_runs)

    def _that_are(self, status: BlockRunStatus) -> list[BlockRun]:
        return [each for each in self.block_runs if each.status == status]

    def __getattr__(self, name: str) -> NoReturn:
        names = sorted({*self.__dataclass_fields__, *vars(type(self))} - {"every_variable", "record"})
        known = [each for each in names if not each.startswith("_")]
        what = f"pipeline_run has no '{name}' here.{did_you_mean(name, known)} It has: {', '.join(known)}"
        raise AttributeError(what)


def seen(run: Run) -> PipelineRun:
    """The run as it stands now."""
    variables = run.variables
    return PipelineRun(
        id=run.record.run_id,
        pipeline_uuid=run.pipeline.uuid,
        execution_date=variables["execution_date"],
        execution_partition=variables["execution_partition"],
        variables=dict(run.given),
        event_variables=variables["event"] or {},
        pipeline_schedule_name=variables.get("trigger_name"),
        every_variable=variables,
        record=run.record,
    )

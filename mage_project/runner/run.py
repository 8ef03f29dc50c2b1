"""A run of one pipeline, from the first block to the last."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from mage_project import masking
from mage_project.errors import MageProjectError
from mage_project.history.starters import given_run_id, given_trigger
from mage_project.io import commits
from mage_project.project import Block, Pipeline
from mage_project.project.command import command
from mage_project.runner import beforehand, dynamic, endings, spares, speech, values
from mage_project.runner.addons import Addons
from mage_project.runner.attempts import RETRY_DELAYS_S, Attempts
from mage_project.runner.crew import AT_ONCE, Crew
from mage_project.runner.interrupts import Interrupted, Interrupts
from mage_project.runner.kept import Kept
from mage_project.runner.limits import Limits
from mage_project.runner.notices import Notices
from mage_project.runner.order import needs, one_by_one
from mage_project.runner.outputs import Outputs
from mage_project.runner.parts import Part
from mage_project.runner.plan import Unit, units
from mage_project.runner.records import BlockRecord, RunRecord
from mage_project.runner.reporting import Reporter, Silent
from mage_project.runner.stopping import OverBudget
from mage_project.runner.turns import Turn
from mage_project.runner.usage import Meter
from mage_project.runner.variables import plain, run_variables

if TYPE_CHECKING:
    from mage_project.runner.budget import Budget


class Run:
    """One run. `execute` raises nothing for what a block does: the record says how it ended."""

    def __init__(
        self,
        pipeline: Pipeline,
        variables: Mapping[str, Any] | None = None,
        *,
        reporter: Reporter | None = None,
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
        interrupts: Interrupts | None = None,
        inputs: Mapping[str, Sequence[Any]] | None = None,
        whole: Pipeline | None = None,
        local: bool = False,
        part: Part | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`inputs`: for a block of its own, what stands in for its upstream outputs. `part`: where only some run.

        `local`: whether all stores are those of the local stack, whatever the profiles name.
        """
        self.pipeline = pipeline
        self.local = local
        #: The pipeline as it is in the project, where only a part of it runs.
        self.whole = whole or pipeline
        self.part = part or Part.whole(pipeline)
        #: What SQL blocks have left in their stores, for other SQL blocks.
        self.sources: dict[str, Any] = dict(self.part.sources)
        #: Which outputs are in a table for SQL blocks: block, provider, profile, table.
        self.stored: set[tuple[str, str, str, str]] = set()
        self.reporter: Reporter = reporter or Silent()
        self.interrupts = interrupts or Interrupts()
        self.limits = limits or Limits()
        #: The environment as the run found it, before stores were provided.
        self.environment = dict(os.environ)
        #: How much memory the run may hold; None: as much as there is.
        self.budget = self._budget()
        #: The blocks that run once for each item of a dynamic one.
        self.spawned = dynamic.spawned(pipeline.blocks)
        started, run_id = datetime.now(UTC).replace(tzinfo=None), given_run_id()
        trigger = self.part.trigger if self.part.resumes else given_trigger()
        self.variables = run_variables(pipeline, variables or {}, started, run_id=run_id, trigger=trigger)
        masking.hide(self.variables)
        self.record = RunRecord(
            pipeline=pipeline.uuid,
            run_id=run_id,
            blocks=[
                BlockRecord(uuid=block.uuid, type=block.type, status=self.part.status(block.uuid))
                for block in pipeline.blocks
            ],
        )
        #: What the last block returned.
        self.output: Any = None
        self.inputs = inputs or {}
        self.context: dict[str, Any] = dict(self.part.context)
        #: The variables that it was given.
        self.given = dict(variables or {})
        #: Those that have not come to their end.
        self.turns: list[Turn] = []
        #: Blocks that failed or need one that did, in a run where blocks may fail.
        self._failed: set[str] = set()
        self._told: list[MageProjectError] = []
        self.addons = Addons(self)
        self.attempts = Attempts(self, self.addons, retry_delays_s)
        #: Blocks that do not run, because a condition of theirs or of one before them was false.
        self.passed_over: set[str] = set(self.part.held_back)
        #: More keyword arguments for a block, from the metadata of dynamic blocks before it.
        self.more: dict[str, Mapping[str, Any]] = {}
        #: What a block with callbacks has returned.
        self.returned: dict[str, Any] = {}
        self._notices = Notices(self)
        self.values = Outputs(pipeline, self.part.running, self.budget)
        for uuid, value in self.part.outputs.items():
            self.values.put(uuid, value)
        #: What the run uses of the machine.
        self.meter = Meter()
        self.kept = Kept(pipeline, variables, self.record.run_id, self.variables["execution_date"])
        #: The trigger that has started it, and whether people are to hear how it ends: known where it is recorded.
        self.trigger: str | None = None
        self.alerts = False
        self._logger = logging.getLogger("mage_project.blocks")

    def execute(self) -> RunRecord:
        """Run every block. The record's `exit_code` says how it ended."""
        started, self.meter = time.perf_counter(), Meter()
        spares.hold()
        self.reporter.run_started(self.record)
        try:
            with speech.heard(self.reporter.said, self.warned):
                beforehand.check_all(self)
                with self.within_budget():
                    failures = self._crew().work()
            if failures:
                endings.failed(self.record, failures, self.pipeline.root)
            else:
                self.record.status = "sampled" if self.limits.sample_rows else "completed"
        except MageProjectError as error:
            endings.failed(self.record, [error], self.pipeline.root)
        except Interrupted as error:
            endings.interrupted(self.record, error)
        except (OverBudget, Exception) as error:  # noqa: BLE001 - whatever it is, the run has an end, and says so
            endings.failed(self.record, [self._unforeseen(error)], self.pipeline.root)
        finally:
            spares.give_back()
            endings.close(self, started)
        return self.record

    def _unforeseen(self, error: BaseException) -> MageProjectError:
        if self.budget is None or not isinstance(error, (OverBudget, MemoryError)):
            return endings.fault(error)
        running = [block for block in self.pipeline.blocks if self.record.block(block.uuid).status == "running"]
        return self.budget.exceeded(running or self.pipeline.blocks)

    def not_started(self, error: MageProjectError | Interrupted) -> RunRecord:
        """The record of a run that failed before its first block (or was told to stop there)."""
        if self.record.status != "running":
            return self.record
        if isinstance(error, Interrupted):
            endings.interrupted(self.record, error)
        else:
            endings.failed(self.record, [error], self.pipeline.root)
        endings.close(self, time.perf_counter())
        return self.record

    # -- what blocks are given

    def keywords(self, block: Block, *, stream: bool = False) -> dict[str, Any]:
        """The keyword arguments of one call: the variables, Mage's own, and ours for blocks that stream.

        What a block changes in a variable no other block sees, whichever runs first; they share `context` alone.
        """
        given = {
            **{name: values.for_reader(value) for name, value in self.variables.items()},
            "block_uuid": block.original,
            "configuration": plain(block.configuration),
            "context": self.context,
            "logger": self._logger,
            "progress": self._progress(block),
            "commit_later": commits.hand_over,
            "wrote": self.record.block(block.uuid).wrote,
            **self.more.get(block.uuid, {}),
        }
        return {**given, "stream": True} if stream else given

    def to_try(self, block: Block) -> str:
        """The command that runs the block alone, as it is run here."""
        options = ["--pipeline", self.pipeline.uuid, *(["--local"] if self.local else [])]
        return command(self.pipeline.root, "block", block.original, *options)

    def speaking(self, block: Block) -> AbstractContextManager[None]:
        return speech.speaking(block.uuid)

    def keep(self, block: Block, value: Any) -> None:
        """Keep (the beginning of) an output, so that one block can be tried alone afterwards.

        Not what such a try gives: it may come from a part, and would pass for the whole.
        """
        if not self.inputs and not block.child_of and not self.limits.sample_rows:
            self.kept.keep(block.uuid, value)

    def _progress(self, block: Block) -> Callable[[int, int | None, str], None]:
        record = self.record.block(block.uuid)
        return lambda done, total, what: self.reporter.download(record, done, total, what)

    # -- running

    def _budget(self) -> Budget | None:
        if self.limits.memory_bytes is None:
            return None
        from mage_project.runner.budget import Budget

        return Budget(self.limits.memory_bytes, self.pipeline.root / ".mage_project" / "spilled", self.warned)

    def within_budget(self) -> AbstractContextManager[None]:
        end = partial(self.interrupts.end, threading.get_ident(), OverBudget)
        return self.budget.watched(end) if self.budget else nullcontext()

    @property
    def at_once(self) -> int:
        """How many blocks, or children of one, run side by side at the most."""
        config = self.pipeline.concurrency
        return self.limits.blocks_at_once or (config and config.block_run_limit) or AT_ONCE

    def told_of(self, error: MageProjectError) -> None:
        """Tell of a failure while others go on; once, though it may fail more than one block."""
        if error in self._told:
            return
        self._told.append(error)
        self.reporter.said(error.block, f"failed: {error.what}")

    def _crew(self) -> Crew:
        work = units(self.pipeline.blocks, self.part.running)
        return Crew(
            work,
            self._take_turn,
            needs=needs(work) if self.at_once > 1 else one_by_one(work),
            at_once=self.at_once,
            goes_on=self.limits.blocks_may_fail,
            interrupts=self.interrupts,
            told=self.told_of,
        )

    def _take_turn(self, unit: Unit) -> None:
        """One unit, without the blocks that need one that failed, where blocks may fail."""
        for block in unit.blocks:
            if not self._failed.isdisjoint(block.upstream):
                self._failed.add(block.uuid)
                self.record.block(block.uuid).status = "upstream_failed"
        unit = unit.only([block for block in unit.blocks if block.uuid not in self._failed])
        turn = Turn(unit, self)
        self.turns.append(turn)
        try:
            turn.take()
        except MageProjectError:
            self._failed.update(unit.uuids)
            raise
        self.turns.remove(turn)

    # -- the end

    def warn(self, block: Block, message: str) -> None:
        self.warned(block.uuid, message)

    def warned(self, block: str | None, message: str) -> None:
        self._notices.add(block, message)

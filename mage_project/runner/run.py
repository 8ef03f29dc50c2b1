"""A run of one pipeline, from the first block to the last."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from mage_project.errors import MageProjectError
from mage_project.io import commits
from mage_project.project import Block, Pipeline
from mage_project.runner import memory, namespace, sensors, speech, values
from mage_project.runner.blame import RAISED, block_error, misuse
from mage_project.runner.calls import call, takes_stream
from mage_project.runner.inline_tests import run_test, verdict
from mage_project.runner.interrupts import Interrupted, Interrupts
from mage_project.runner.kept import Kept
from mage_project.runner.outputs import Outputs
from mage_project.runner.plan import Unit, units
from mage_project.runner.records import BlockRecord, RunRecord, TestRecord, new_run_id
from mage_project.runner.reporting import Reporter, Silent
from mage_project.runner.variables import plain, run_variables

#: Pauses before a block whose failure may pass (a dropped connection) is run again.
RETRY_DELAYS_S = (1.0, 3.0)


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
    ) -> None:
        """`inputs`: for a block of its own, the values that stand in for its upstream blocks' outputs."""
        self.pipeline = pipeline
        self.reporter: Reporter = reporter or Silent()
        self.interrupts = interrupts or Interrupts()
        self.values = Outputs(pipeline)
        started = datetime.now(UTC).replace(tzinfo=None)
        self.variables = run_variables(pipeline, variables or {}, started)
        self.record = RunRecord(
            pipeline=pipeline.uuid,
            run_id=new_run_id(),
            blocks=[BlockRecord(uuid=block.uuid, type=block.type) for block in pipeline.blocks],
        )
        #: What the last block returned.
        self.output: Any = None
        self._given = inputs or {}
        self._retry_delays_s = retry_delays_s
        self._context: dict[str, Any] = {}
        self._kept = Kept(pipeline, variables, self.record.run_id)
        self._logger = logging.getLogger("mage_project.blocks")

    def execute(self) -> RunRecord:
        """Run every block. The record's `exit_code` says how it ended."""
        started = time.perf_counter()
        memory.reset_peak()
        self.reporter.run_started(self.record)
        try:
            with speech.heard(self.reporter.said, self._warned):
                for block in self.pipeline.blocks:
                    namespace.refuse_other_languages(block)
                for unit in units(self.pipeline.blocks):
                    self._run_unit(unit)
            self.record.status = "completed"
        except MageProjectError as error:
            self._fail(error)
        except Interrupted as error:
            self._interrupted(error)
        finally:
            self._close(started)
        return self.record

    def not_started(self, error: MageProjectError | Interrupted) -> RunRecord:
        """The record of a run that failed before its first block (or was told to stop there)."""
        if self.record.status != "running":
            return self.record
        if isinstance(error, Interrupted):
            self._interrupted(error)
        else:
            self._fail(error)
        self._close(time.perf_counter())
        return self.record

    # -- what blocks are given

    def keywords(self, block: Block, *, stream: bool = False) -> dict[str, Any]:
        """The keyword arguments of one call: the variables, Mage's own, and ours for blocks that stream."""
        given = {
            **self.variables,
            "block_uuid": block.uuid,
            "configuration": plain(block.configuration),
            "context": self._context,
            "logger": self._logger,
            "progress": self._progress(block),
        }
        return {**given, "stream": True} if stream else given

    def speaking(self, block: Block) -> AbstractContextManager[None]:
        return speech.speaking(block.uuid)

    def keep(self, block: Block, value: Any) -> None:
        """Keep (the beginning of) an output, so that one block can be tried alone afterwards.

        Not what such a try gives: it may come from a part, and would pass for the whole.
        """
        if not self._given:
            self._kept.keep(block.uuid, value)

    def _progress(self, block: Block) -> Callable[[int, int | None, str], None]:
        record = self.record.block(block.uuid)
        return lambda done, total, what: self.reporter.download(record, done, total, what)

    # -- running

    def _run_unit(self, unit: Unit) -> None:
        """One unit, again where the failure may pass. Nothing is left of an attempt that failed."""
        inputs = {block.uuid: self._inputs(block, unit) for block in unit.blocks}
        for delay_s in [*self._retry_delays_s, None]:
            try:
                self._attempt(unit, inputs)
                break
            except MageProjectError as error:
                if not error.transient or delay_s is None:
                    raise
                self._warned(error.block, f"{error.what}; trying again in {delay_s:g} s")
                time.sleep(delay_s)
        for block in unit.blocks:
            self.reporter.block_ended(self.record.block(block.uuid))

    def _inputs(self, block: Block, unit: Unit) -> list[Any]:
        if block.uuid in self._given:
            return list(self._given[block.uuid])
        members = unit.uuids if unit.is_stream else ()
        return [None if uuid in members else self.values.take(uuid) for uuid in block.upstream]

    def _attempt(self, unit: Unit, inputs: Mapping[str, Sequence[Any]]) -> None:
        records = [self.record.block(block.uuid) for block in unit.blocks]
        for record in records:
            record.reset()
        memory_before = self._start_peak()
        try:
            if unit.is_stream:
                from mage_project.runner.stream import Stream

                Stream(unit, self, inputs).execute()
            else:
                self._run_block(unit.blocks[0], inputs[unit.uuids[0]])
        except MageProjectError as error:
            if error.block in unit.uuids:
                failed = self.record.block(error.block)
                failed.status, failed.error = "failed", str(error)
            raise
        finally:
            peak = memory.peak_rss_bytes()
            self.record.peak_rss_bytes = max(self.record.peak_rss_bytes, memory_before, peak)
            for record in records:
                record.peak_rss_bytes = peak

    def _start_peak(self) -> int:
        before = memory.peak_rss_bytes()
        memory.reset_peak()
        return before

    def _run_block(self, block: Block, inputs: Sequence[Any]) -> None:
        record = self.record.block(block.uuid)
        if not block.runs:
            record.status = "skipped"
            return
        record.status = "running"
        self.reporter.block_started(record)
        record.rows_in = values.total_rows(inputs)
        started = time.perf_counter()
        try:
            with self.speaking(block), self._committed_together(block):
                code = namespace.load(block)
                output = self._output(block, code, inputs)
                record.drop(values.take_dropped(output))
                handed_on = values.handed_on(output)
                record.count_out(values.rows(handed_on))
                self._test(block, code, output)
        finally:
            record.seconds = time.perf_counter() - started
        if output is not None:
            self.keep(block, handed_on)
        self.output = output if block is self.pipeline.blocks[-1] else None
        self.values.put(block.uuid, handed_on)
        record.status = "completed"

    @contextmanager
    def _committed_together(self, block: Block) -> Iterator[None]:
        """What the block's connectors write is committed when its tests have passed, else rolled back."""
        pending = commits.Commits()
        try:
            with commits.collecting(pending):
                yield
        except BaseException:
            pending.rollback_all()
            raise
        with self.interrupts.shielded():
            try:
                pending.commit_all()
            except Exception as error:
                raise block_error(block, error) from error

    def _output(self, block: Block, code: namespace.Code, inputs: Sequence[Any]) -> Any:
        function = namespace.main_function(block, code)
        mine = [values.for_reader(value) for value in inputs]
        try:
            for preparation in code.preprocessers:  # what they change in the inputs, the block sees
                call(preparation, mine, self.keywords(block))
            if block.type == "sensor":  # it has no output: what it returns says whether to go on
                sensors.wait(
                    lambda: call(function, mine, self.keywords(block)), partial(self.reporter.said, block.uuid)
                )
                return None
            output = call(function, mine, self.keywords(block))
        except RAISED as error:
            raise block_error(block, error) from error
        if inspect.isgenerator(output):
            raise misuse(
                block,
                f"block '{block.uuid}' is a generator",
                "return a value; or set `configuration: {stream: true}` for it, to have it run batch by batch",
            )
        if values.is_frame(output) and len(mine) == 1 and values.is_frame(inputs[0]):
            # What a frame says of where it comes from stays with it, also when the block builds a new one.
            output.attrs = {**inputs[0].attrs, **output.attrs}
        return output

    def _test(self, block: Block, code: namespace.Code, output: Any) -> None:
        record = self.record.block(block.uuid)
        for function in code.tests:
            test = TestRecord(name=function.__name__)
            record.tests.append(test)
            keywords = self.keywords(block) if not takes_stream(function) else {**self.keywords(block), "stream": False}
            run_test(block, function, [values.for_reader(value) for value in values.outputs(output)], keywords, test)
        verdict(block, record.tests)

    # -- the end

    def warn(self, block: Block, message: str) -> None:
        self._warned(block.uuid, message)

    def _warned(self, block: str | None, message: str) -> None:
        if message not in self.record.warnings:
            self.record.warnings.append(message)
            self.reporter.said(block, f"warning: {message}")

    def _interrupted(self, error: Interrupted) -> None:
        self.record.status, self.record.exit_code = "failed", error.exit_code
        done = all(block.status in ("completed", "skipped") for block in self.record.blocks)
        state = "everything had been committed before" if done else "what was not finished is rolled back"
        self.record.error = f"interrupted ({error}): {state}"

    def _fail(self, error: MageProjectError) -> None:
        self.record.status, self.record.exit_code, self.record.error = "failed", error.exit_code, str(error)

    def _close(self, started: float) -> None:
        self._kept.close(
            {block.uuid: block.rows_out if block.status == "completed" else None for block in self.record.blocks}
        )
        self.record.seconds = time.perf_counter() - started
        for block in self.record.blocks:
            if block.status == "running":
                block.status = "cancelled"
        self.reporter.run_ended(self.record)

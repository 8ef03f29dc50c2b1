"""Runs a unit until it has succeeded or failed for good, and then calls the callbacks of its blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mage_project.errors import MageProjectError, TestFailed
from mage_project.runner import debugging
from mage_project.runner.addons import Addons
from mage_project.runner.blame import block_error
from mage_project.runner.interrupts import TimedOut
from mage_project.runner.limits import Limit
from mage_project.runner.passing import is_partly_done, may_pass
from mage_project.runner.plan import Unit
from mage_project.runner.stopping import OverBudget
from mage_project.runner.surroundings import restored
from mage_project.runner.usage import Use
from mage_project.runner.whole import Whole

if TYPE_CHECKING:
    from mage_project.runner.run import Run

#: Pauses before a block whose failure may pass (a dropped connection) is run again.
RETRY_DELAYS_S = (1.0, 3.0)

#: What is added to a configured pause at the most, as a part of it: many runs do not come back at the same moment.
JITTER = 0.25

Inputs = Mapping[str, Sequence[Any]]


class Attempts:
    """The attempts of one run."""

    def __init__(self, run: Run, addons: Addons, delays_s: Sequence[float]) -> None:
        self._run = run
        self._addons = addons
        self._delays_s = delays_s

    def run(self, unit: Unit, inputs: Inputs) -> Any:
        """What the block returned; a stream hands on its outputs by itself. Raises the error of the last attempt."""
        run = self._run
        try:
            returned = self._repeated(unit, inputs)
        except MageProjectError as error:
            for block in unit.blocks:
                if block.uuid == error.block:
                    if not isinstance(error, TestFailed):  # a test was looked at when it failed
                        debugging.look(block, error)
                    self._addons.failed(block, run.returned.pop(block.uuid, []), error)
            raise
        for block in unit.blocks:
            run.reporter.block_ended(run.record.block(block.uuid))
            self._addons.succeeded(block, run.returned.pop(block.uuid, []))
        return returned

    def _repeated(self, unit: Unit, inputs: Inputs) -> Any:
        """Again where the failure may pass. Nothing is left of an attempt that failed."""
        pauses: dict[str | None, Iterator[float]] = {}
        number = 0
        while True:
            self._number(unit, number := number + 1)
            try:
                return self._attempt(unit, inputs)
            except MageProjectError as error:
                delay_s = self._pause(unit, error, pauses)
                if delay_s is None:
                    raise
                told = f"{error.what}; trying again in {delay_s:g} s (attempt {number + 1})"
                self._run.warned(error.block, told)
                self._run.interrupts.pause(delay_s)

    def _number(self, unit: Unit, number: int) -> None:
        """Give each block the number of the attempt as Mage does, `kwargs['retry']['attempts']`, from 1."""
        for block in unit.blocks:
            self._run.more[block.uuid] = {**self._run.more.get(block.uuid, {}), "retry": {"attempts": number}}

    def _pause(self, unit: Unit, error: MageProjectError, pauses: dict[str | None, Iterator[float]]) -> float | None:
        """Seconds until the next attempt, as the block that failed is configured; None where there is none."""
        block = next((block for block in unit.blocks if block.uuid == error.block), unit.blocks[0])
        given = block.retries
        if given is None:
            return next(pauses.setdefault(None, iter(self._delays_s)), None) if error.transient else None
        written = any(self._run.record.block(uuid).written for uuid in unit.uuids)
        if written or is_partly_done(error) or not (given.retry_on == "all" or may_pass(error)):
            return None
        import random

        delay_s = next(pauses.setdefault(block.uuid, given.delays_s()), None)
        return delay_s and round(delay_s * random.uniform(1, 1 + JITTER), 2)  # noqa: S311 - no secret

    def _attempt(self, unit: Unit, inputs: Inputs) -> Any:
        record = self._run.record
        blocks = [record.block(block.uuid) for block in unit.blocks]
        for block in blocks:
            block.reset()
        use = Use()
        try:
            with self._run.meter.measuring(unit.uuids, use):
                return self._limited(unit, inputs)
        except MageProjectError as error:
            error = self._of_memory(unit, error)
            if error.block in unit.uuids:
                self._mark_failed(unit, error)
            raise error
        finally:
            self._count(unit, use)

    def _count(self, unit: Unit, use: Use) -> None:
        """Note what the blocks used. In a stream each counts its own seconds; a process of its own counts by itself."""
        for block in unit.blocks:
            record = self._run.record.block(block.uuid)
            if block.in_process and block.runs:
                continue
            record.peak_rss_bytes = use.peak_rss_bytes
            record.beside = sorted({*unit.uuids, *use.beside} - {block.uuid})
            if not unit.is_stream:
                record.cpu_seconds = use.cpu_seconds

    def _of_memory(self, unit: Unit, error: MageProjectError) -> MageProjectError:
        """The error itself; that of the budget where the kernel has refused memory because of it."""
        if self._run.budget is None or not isinstance(error.__cause__, MemoryError):
            return error
        blamed = next((block for block in unit.blocks if block.uuid == error.block), unit.blocks[0])
        exceeded = self._run.budget.exceeded([blamed])
        exceeded.where, exceeded.__cause__ = error.where, error.__cause__
        return exceeded

    def _mark_failed(self, unit: Unit, error: MageProjectError) -> None:
        if isinstance(error, TestFailed):
            blamed = next(block for block in unit.blocks if block.uuid == error.block)
            error.hint = error.hint or f"see what it makes: {self._run.to_try(blamed)}"
        failed = self._run.record.block(str(error.block))
        failed.status, failed.error = "failed", str(error)

    def _limited(self, unit: Unit, inputs: Inputs) -> Any:
        limit = self._run.limits.of(unit, _place_of_timeout(self._run))
        late = partial(self._left_behind, unit, limit) if limit else None
        try:
            with self._run.interrupts.limited(limit.seconds if limit else None, late), restored():
                if unit.is_stream:
                    from mage_project.runner.stream import Stream

                    return Stream(unit, self._run, inputs).execute()
                [block] = unit.blocks
                if block.in_process and block.runs:
                    from mage_project.runner.processes import Process

                    return Process(block, self._run, inputs[block.uuid]).execute()
                return Whole(block, self._run, inputs[block.uuid]).execute()
        except MageProjectError:
            raise
        except Exception as error:  # a value whose methods fail, no more files: what came of the block's own code
            raise block_error(unit.blocks[0], error) from error
        except TimedOut as error:
            assert limit is not None  # noqa: S101 - nothing else raises it
            raise limit.error() from error
        except OverBudget as error:
            assert self._run.budget is not None  # noqa: S101 - nothing else raises it
            raise self._run.budget.exceeded(unit.blocks) from error

    def _left_behind(self, unit: Unit, limit: Limit) -> BaseException:
        error = limit.error()
        self._mark_failed(unit, error)
        return error


def _place_of_timeout(run: Run) -> str | None:
    """Where the run's own timeout was given, if a trigger has given it. One that resumes has it from the command."""
    if run.trigger is None or run.part.resumes:
        return None
    return f"`timeout` in the settings of trigger '{run.trigger}', pipelines/{run.pipeline.uuid}/triggers.yaml"

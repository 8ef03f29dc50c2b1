"""The process of one block: `python -m mage_project.runner.child JOB OUTPUT RESULT EVENTS ALIVE`.

These are descriptors that it inherits. It does with the block what the run would have done: code, tests, commits. It
stops as after SIGTERM when the run that started it is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, BinaryIO

from mage_project.errors import MageProjectError
from mage_project.io import holders
from mage_project.mage_ai import parentage
from mage_project.project import Block
from mage_project.runner import parcels, services, speech
from mage_project.runner.blame import misuse
from mage_project.runner.interrupts import Interrupted, Interrupts
from mage_project.runner.jobs import Done, Job
from mage_project.runner.limits import Limits
from mage_project.runner.records import BlockRecord
from mage_project.runner.reporting import Silent
from mage_project.runner.run import Run
from mage_project.runner.running import surroundings
from mage_project.runner.stopping import OverBudget
from mage_project.runner.usage import Use
from mage_project.runner.whole import Whole

#: How long it may take to roll back, or to finish its commit, when the run is gone.
FAREWELL_S = 120


class Events(Silent):
    """Tells the run what the block says: a line of JSON each."""

    def __init__(self, descriptor: int) -> None:
        self._out = os.fdopen(descriptor, "w", encoding="utf-8")
        self._lock = threading.Lock()

    def download(self, block: BlockRecord, done: int, total: int | None, what: str) -> None:
        self._tell("download", done, total, what)

    def said(self, block: str | None, line: str) -> None:
        if block is not None and not line.startswith("warning: "):  # what is said of stores, the run has said itself
            self._tell("said", block, line, speech.level())

    def warned(self, block: str | None, message: str) -> None:
        self._tell("warned", block, message)

    def committing(self, begins: bool) -> None:
        self._tell("committing", begins)

    def _tell(self, event: str, *given: Any) -> None:
        with self._lock:
            self._out.write(json.dumps([event, *given], default=str) + "\n")
            self._out.flush()


def main(events: Events, job: BinaryIO, output: BinaryIO, result: BinaryIO) -> None:
    """Run the block of `job`. Its output goes to one file, and how it ended to the other."""
    work: Job = parcels.unpack(job)
    done = _done(work, events, output)
    try:
        parcels.pack(done, result)
    except Exception:  # noqa: BLE001 - what the block raised cannot be handed over: what is said of it can
        result.seek(0)
        result.truncate()
        done.cause = None
        parcels.pack(done, result)


def _done(job: Job, events: Events, output: BinaryIO) -> Done:
    interrupts, use = Interrupts(shielding=events.committing), Use()
    with surroundings(job.pipeline.root, interrupts):
        run = _run(job, events, interrupts)
        record = run.record.block(job.block.uuid)
        done = Done(record=record)
        try:
            with (
                services.provided(job.pipeline, job.variables, local=job.local, said=lambda _line: None),
                holders.named(f"run {job.run_id} of {job.pipeline.uuid}"),
                speech.heard(events.said, events.warned),
                run.within_budget(),
                run.meter.measuring([job.block.uuid], use),
                _parentage(job),
            ):
                Whole(job.block, run, job.inputs, handing=partial(_hand_over, job.block, output)).execute()
                parentage.wait_for_all(run.reporter.said, run.warned)
        except MageProjectError as error:
            done.error, done.cause = error, error.__cause__
        except OverBudget:
            done.error = run.budget.exceeded([job.block]) if run.budget else None
        record.cpu_seconds, record.peak_rss_bytes = use.cpu_seconds, use.peak_rss_bytes
    return done


def _parentage(job: Job) -> AbstractContextManager[None]:
    date = job.variables["execution_date"]
    return parentage.belonging_to(job.run_id, job.pipeline.uuid, date, sample_rows=job.sample_rows)


def _run(job: Job, events: Events, interrupts: Interrupts) -> Run:
    """The run, as far as the block can see it."""
    run = Run(
        job.pipeline,
        interrupts=interrupts,
        reporter=events,
        inputs={job.block.uuid: ()},
        whole=job.whole,
        local=job.local,
        limits=Limits(memory_bytes=job.memory_bytes, sample_rows=job.sample_rows),
    )
    run.warned = events.warned  # type: ignore[method-assign]
    run.variables, run.more[job.block.uuid], run.context = dict(job.variables), job.more, dict(job.context)
    run.record.run_id = job.run_id
    if job.block.child_of:
        run.record.block(job.block.child_of).adopt(BlockRecord(uuid=job.block.uuid, type=job.block.type))
    return run


def _hand_over(block: Block, file: BinaryIO, output: Any) -> None:
    """Before anything is committed: what cannot be handed over would fail the block afterwards."""
    try:
        parcels.pack(output, file)
    except Exception as error:
        what = f"what block '{block.uuid}' returned cannot be handed on from a process of its own: {error}"
        raise misuse(block, what, "return frames or plain data, or take `executor_type: process` off") from error


def _stop_when_alone(alive: int) -> None:
    os.read(alive, 1)  # returns when the run is gone
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(FAREWELL_S)
    os._exit(128 + signal.SIGKILL)


if __name__ == "__main__":
    *files, events, alive = map(int, sys.argv[1:])
    threading.Thread(target=_stop_when_alone, args=(alive,), name="guard", daemon=True).start()
    try:
        main(Events(events), *(os.fdopen(number, "r+b") for number in files))
    except Interrupted as stopped:
        os._exit(stopped.exit_code)

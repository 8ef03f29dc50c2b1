"""One block in a process of its own: started, listened to, stopped; its end, whatever it is, is the block's end."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mage_project.errors import MageProjectError
from mage_project.project import Block
from mage_project.runner import parcels, speech, values
from mage_project.runner.blame import misuse
from mage_project.runner.jobs import Done, Job
from mage_project.runner.spilling import Nameless

if TYPE_CHECKING:
    from mage_project.runner.run import Run

#: How long a process that was told to stop may take, except for a commit.
FAREWELL_S = 5.0
_SLICE_S = 0.2
#: What the process counts, and the run takes over.
_FIGURES = """
rows_in rows_out rows_written bytes_in bytes_out dropped changed files columns written published seconds cpu_seconds
peak_rss_bytes tests checks
""".split()


class Process:
    """One attempt to run one block."""

    def __init__(self, block: Block, run: Run, inputs: Sequence[Any]) -> None:
        self._block, self._run, self._inputs = block, run, inputs
        self._record = run.record.block(block.uuid)
        self._is_committing = False
        #: The beginning of a line that has not come whole.
        self._told = b""

    def execute(self) -> Any:
        """What the block returned. Raises its error, or that of its process."""
        run, record = self._run, self._record
        record.status = "running"
        run.reporter.block_started(record)
        record.count_in(values.total_rows(self._inputs), values.total_size(self._inputs))
        folder = run.pipeline.root / ".mage_project" / "spilled"
        job, output, result = (Nameless(folder) for _ in range(3))
        self._pack(job)
        started = time.perf_counter()
        try:
            with self._started(job, output, result) as (process, events):
                code = self._ended(process, events)
        finally:  # what it counts itself is nearer to the block; one that is ended tells nothing
            record.seconds = time.perf_counter() - started
        if not result.file.seek(0, os.SEEK_END):
            raise self._crashed(code)
        done: Done = parcels.unpack(result.file)
        for name in _FIGURES:
            setattr(record, name, getattr(done.record, name))
        run.meter.count(record.peak_rss_bytes or 0)
        if done.error is not None:
            raise done.error from done.cause
        return self._handed_on(parcels.unpack(output.file))

    def _handed_on(self, output: Any) -> Any:
        block, run = self._block, self._run
        if block.callbacks:
            run.returned[block.uuid] = values.handed_on(output)
        if output is not None:
            run.keep(block, values.outputs(output) if block.is_dynamic else values.handed_on(output))
        self._record.status = "completed"
        return output

    def _pack(self, file: Nameless) -> None:
        block, run = self._block, self._run
        job = Job(
            pipeline=run.pipeline,
            whole=run.whole,
            block=block,
            run_id=run.record.run_id,
            variables=run.variables,
            more=run.more.get(block.uuid, {}),
            context=run.context,
            inputs=self._inputs,
            local=run.local,
            memory_bytes=run.limits.memory_bytes,
            sample_rows=run.limits.sample_rows,
        )
        try:
            parcels.pack(job, file.file)
        except MemoryError:
            raise
        except Exception as error:
            what = f"what block '{block.uuid}' is given cannot be handed to a process of its own: {error}"
            raise misuse(block, what, "have its upstream blocks return frames or plain data") from error

    @contextmanager
    def _started(self, *files: Nameless) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """The process, and where it tells what its block says. However this ends, the process has ended as well."""
        events, told = os.pipe()
        alive, ours = os.pipe()
        theirs = [*(each.file.fileno() for each in files), told, alive]
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mage_project.runner.child", *map(str, theirs)],
                pass_fds=theirs,
                env=self._run.environment,
                stdin=subprocess.DEVNULL,
                stdout=sys.__stderr__,
                start_new_session=True,
            )
            os.close(told)
            os.close(alive)
            try:
                yield process, events
            finally:
                self._stop(process, events)
        finally:
            os.close(events)
            os.close(ours)

    def _ended(self, process: subprocess.Popen[bytes], events: int) -> int:
        """Listen until it has ended. Returns its exit code."""
        while True:
            is_over = process.poll() is not None
            while select.select([events], [], [], 0 if is_over else _SLICE_S)[0]:
                if not self._listen(events):  # it has told everything
                    return _code(process)
            if is_over:  # what it has started may live on, and hold the pipe
                return process.returncode

    def _listen(self, events: int) -> bool:
        """Take in what it has told. False where it tells no more."""
        told = os.read(events, 65536)
        *lines, self._told = (self._told + told).split(b"\n")
        for line in lines:
            self._hear(*json.loads(line))
        return bool(told)

    def _hear(self, event: str, *given: Any) -> None:
        reporter = self._run.reporter
        if event == "committing":
            [self._is_committing] = given
        elif event == "download":
            reporter.download(self._record, *given)
        elif event == "warned":
            self._run.warned(*given)
        else:
            block, line, level = given
            with speech.at_level(level):
                reporter.said(block, line)

    def _stop(self, process: subprocess.Popen[bytes], events: int) -> None:
        """End it where it still runs: as by SIGTERM first, which lets it roll back, or finish its commit."""
        if process.poll() is None:
            process.terminate()
            until, tells = time.monotonic() + FAREWELL_S, [events]
            while process.poll() is None and (self._is_committing or time.monotonic() < until):
                if not tells:
                    time.sleep(_SLICE_S)
                elif select.select(tells, [], [], _SLICE_S)[0] and not self._listen(events):
                    tells = []
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _crashed(self, code: int) -> MageProjectError:
        uuid = self._block.uuid
        if code >= 0:
            what = f"the process of block '{uuid}' ended with exit code {code} before the block had"
            return misuse(self._block, what, "see what the block calls: os._exit(), or a library that gives up")
        name = signal.Signals(-code).name
        why = "was memory short?" if -code == signal.SIGKILL else "a library in it has failed badly"
        hint = "give it less to do at once" if -code == signal.SIGKILL else "update the libraries that it uses"
        return misuse(self._block, f"the process of block '{uuid}' was killed ({name}; {why})", hint)


def _code(process: subprocess.Popen[bytes]) -> int:
    """Its exit code; in slices, so that the thread can be stopped."""
    while True:
        try:
            return process.wait(_SLICE_S)
        except subprocess.TimeoutExpired:
            continue

"""One pass over a source, batch by batch, through its transformers and into all of its readers side by side.

The loader runs in a thread of its own, the transformers in this one; each exporter, and each test that wants the whole
stream, reads in a thread of its own behind a bounded queue. Nothing is committed before every test has passed and every
exporter has written everything: connectors hand their commits over (`io.commits`), and they are made last, together.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mage_project.errors import MageProjectError
from mage_project.project import Block
from mage_project.runner import memory, values
from mage_project.runner.ahead import Ahead
from mage_project.runner.blame import RAISED, block_error, misuse
from mage_project.runner.borders import in_block
from mage_project.runner.calls import takes_stream
from mage_project.runner.channel import ReaderGone, StreamBroken
from mage_project.runner.inline_tests import run_test, verdict
from mage_project.runner.joint_commits import JointCommits, note_undone
from mage_project.runner.readers import Node, Reader
from mage_project.runner.wiring import Wiring

if TYPE_CHECKING:
    from mage_project.runner.plan import Unit
    from mage_project.runner.run import Run

#: After so many batches memory that is free goes back to the system: each thread's allocator would keep its own most.
TRIM_BATCHES = 3


class Stream:
    """One attempt to run a group of streaming blocks."""

    def __init__(self, unit: Unit, run: Run, inputs: Mapping[str, Sequence[Any]]) -> None:
        """`inputs`: for each block of the unit the outputs of its upstream blocks outside, None for a member's."""
        self._run = run
        self._wiring = Wiring(unit, run, inputs)
        self._commits = JointCommits(run, self._wiring.exporters)
        self._has_ended = False

    def execute(self) -> None:
        """Run the stream to its end and commit. Raises the first error, with nothing committed."""
        try:
            self._start()
            self._pump()
            self._finish_tests()
            for reader in self._wiring.exporters:  # only who has begun to read has said whether its commit waits
                reader.channel.drain()
            self._finish([reader for reader in self._wiring.exporters if reader.pending])
            # What can still be rolled back does what can fail before the others, who commit when they end.
            self._commits.prepare()
            # From here on stores change: a signal waits until every one of them has.
            with self._run.interrupts.shielded():
                self._finish([reader for reader in self._wiring.exporters if not reader.pending])
                self._commits.commit()
                self._complete()
        except BaseException as error:
            first = self._give_up(error)
            if first is error:
                raise
            raise first from error

    # -- running

    def _start(self) -> None:
        for node in self._wiring.nodes.values():
            node.record.status = "running"
            self._run.reporter.block_started(node.record)
        for reader in self._wiring.readers:
            reader.start()

    def _pump(self) -> None:
        """Drive the source: each batch goes through its transformers and to every reader."""
        source = self._wiring.source
        with self._run.speaking(source.block):
            ahead = Ahead(lambda: self._batches(source), name=source.block.uuid)
            try:
                for number, batch in enumerate(ahead, start=1):
                    source.record.seconds = ahead.seconds
                    self._hand_on(source, batch)
                    if number % TRIM_BATCHES == 0:
                        memory.give_back()
                self._has_ended = True
            finally:
                ahead.close()
                source.record.seconds, source.record.cpu_seconds = ahead.seconds, ahead.cpu_seconds
                memory.give_back()

    def _batches(self, source: Node) -> Generator[Any, None, None]:
        """The frames that the loader returns: an iterator of them, or a single one."""
        output = self._wiring.call(source, None)
        rows = self._run.limits.sample_rows
        if values.is_frame(output):
            yield output.head(rows) if rows else output
            return
        if not isinstance(output, Iterator):
            raise misuse(
                source.block,
                f"block '{source.block.uuid}' returned a {type(output).__name__} where a stream of DataFrames belongs",
                "return an iterator of DataFrames, or take `stream: true` off the block",
            )
        if rows:
            from mage_project.runner.sampling import cut_stream

            output = cut_stream(output, rows)
        try:
            while (batch := self._next(source.block, output)) is not _END:
                yield _frame(source.block, batch)
        except GeneratorExit:  # as `yield from` does
            if close := getattr(output, "close", None):
                close()
            raise

    def _next(self, block: Block, output: Iterator[Any]) -> Any:
        try:
            with in_block():
                return next(output, _END)
        except RAISED as error:
            raise block_error(block, error) from error

    def _hand_on(self, node: Node, batch: Any) -> None:
        """Test what the node made, count it, and give every consumer its own copy."""
        batch = _frame(node.block, batch)
        node.record.explain(**values.take_explanation(batch))
        size_bytes = values.size(batch)
        node.record.count_out(len(batch), size_bytes)
        node.record.describe(batch)
        self._run.keep(node.block, batch)
        self._test(node, batch)
        self._run.reporter.progress(node.record)
        if node.whole is not None:
            node.whole.append(values.for_reader(batch))
        for reader in node.readers:
            try:
                reader.put(values.for_reader(batch), size_bytes)
            except ReaderGone:
                reader.join()
                reader.check()
                raise
        for child in node.children:
            self._transform(child, values.for_reader(batch), size_bytes)

    def _transform(self, node: Node, batch: Any, size_bytes: int | None) -> None:
        started, used = time.perf_counter(), time.thread_time()
        node.record.count_in(len(batch), size_bytes)
        origin = batch.attrs
        result = self._wiring.call(node, batch)
        if values.is_frame(result):
            # What a batch says of where it comes from stays with it, also when the block builds a new frame.
            result.attrs = {**origin, **result.attrs}
        node.record.seconds += time.perf_counter() - started
        node.record.cpu_seconds += time.thread_time() - used
        self._hand_on(node, result)

    def _test(self, node: Node, batch: Any) -> None:
        """The tests that take each batch. Those that want the whole stream read it as readers."""
        each = [(function, record) for function, record in node.tests if not takes_stream(function)]
        for function, record in each:
            run_test(node.block, function, [values.for_reader(batch)], self._run.keywords(node.block), record)
        verdict(node.block, [record for _, record in each])

    def _take_back_tests(self) -> None:
        """A test that has passed on some batches has not passed on those that were still to come."""
        for test in (test for node in self._wiring.nodes.values() for test in node.record.tests if test.passed):
            test.ran, test.message = False, None

    def _finish_tests(self) -> None:
        """The stream has ended: the verdict on the whole of it, before any exporter learns of the end."""
        for reader in self._wiring.whole_tests:
            reader.finish()
        for node in self._wiring.nodes.values():
            verdict(node.block, node.record.tests, node.record.checks)

    def _finish(self, exporters: Sequence[Reader]) -> None:
        """Let the exporters end, one by one, and test what they returned.

        Those that handed their commit over end first: they can still be rolled back when one of the others fails.
        """
        for reader in exporters:
            reader.finish()
            block = reader.node.block
            for function, record in reader.node.tests:
                run_test(block, function, values.outputs(reader.result), self._run.keywords(block), record)
            verdict(block, reader.node.record.tests)

    def _complete(self) -> None:
        self._run.stored.update(reader.result for reader in self._wiring.tables)
        for node in self._wiring.nodes.values():
            node.record.status = "completed"
            if node.whole is not None:
                whole = node.whole.whole()
                self._run.values.put(node.block.uuid, whole)
                if node.block.callbacks:
                    self._run.returned[node.block.uuid] = self._run.values.loaded(whole)

    def _give_up(self, error: BaseException) -> BaseException:
        """End every reader, roll everything back, and find the error that came first."""
        if not self._has_ended:
            self._take_back_tests()
        readers = self._wiring.readers
        for reader in readers:
            reader.channel.fail()
        undone = []
        for reader in readers:
            if reader.error is None or reader.pending:
                reader.join()
            undone += self._commits.roll_back([reader])
        causes = [reader for reader in readers if reader.error and not isinstance(reader.error, StreamBroken)]
        for node in self._wiring.nodes.values():
            if node.record.status != "completed":
                node.record.status = "cancelled"
        if isinstance(error, ReaderGone) and causes:
            error = causes[0].error or error
        note_undone(error, undone)
        self._blame(error)
        return error

    def _blame(self, error: BaseException) -> None:
        """Mark the block that the error names as failed."""
        uuid = error.block if isinstance(error, MageProjectError) else None
        if uuid in self._wiring.nodes:
            record = self._wiring.nodes[uuid].record
            record.status, record.error = "failed", str(error)


_END = object()


def _frame(block: Block, batch: Any) -> Any:
    """The batch, if it is one."""
    if values.is_frame(batch):
        return batch
    raise misuse(
        block,
        f"block '{block.uuid}' gave a {type(batch).__name__} where a DataFrame belongs",
        "a streaming block returns one DataFrame for each batch",
    )

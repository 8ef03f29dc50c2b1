"""One pass over a source, batch by batch, through its transformers and into all of its readers side by side.

The loader runs in a thread of its own, the transformers in this one; each exporter, and each test that wants the whole
stream, reads in a thread of its own behind a bounded queue. Nothing is committed before every test has passed and every
exporter has written everything: connectors hand their commits over (`io.commits`), and they are made last, together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mage_project.errors import MageProjectError
from mage_project.io import commits
from mage_project.project import Block
from mage_project.runner import addons, namespace, values
from mage_project.runner.ahead import Ahead
from mage_project.runner.blame import RAISED, block_error, misuse
from mage_project.runner.calls import call, takes_stream
from mage_project.runner.channel import ReaderGone, StreamBroken
from mage_project.runner.inline_tests import run_test, verdict
from mage_project.runner.readers import Node, Reader
from mage_project.runner.records import TestRecord

if TYPE_CHECKING:
    from mage_project.runner.plan import Unit
    from mage_project.runner.run import Run


class Stream:
    """One attempt to run a group of streaming blocks."""

    def __init__(self, unit: Unit, run: Run, inputs: Mapping[str, Sequence[Any]]) -> None:
        """`inputs`: for each block of the unit the outputs of its upstream blocks outside, None for a member's."""
        self._run = run
        self._inputs = inputs
        self._nodes = {block.uuid: self._node(block) for block in unit.blocks}
        self._source = self._nodes[unit.blocks[0].uuid]
        self._exporters: list[Reader] = []
        self._whole_tests: list[Reader] = []
        #: Those of the exporters that write tables for SQL blocks outside.
        self._tables: list[Reader] = []
        for node in self._nodes.values():
            self._connect(node)

    def execute(self) -> None:
        """Run the stream to its end and commit. Raises the first error, with nothing committed."""
        try:
            self._start()
            self._pump()
            self._finish_tests()
            for reader in self._exporters:  # only who has begun to read has said whether its commit waits
                reader.channel.drain()
            self._finish([reader for reader in self._exporters if reader.pending])
            # What can still be rolled back does what can fail before the others, who commit when they end.
            self._step(commits.Commits.prepare_all)
            # From here on stores change: a signal waits until every one of them has.
            with self._run.interrupts.shielded():
                self._finish([reader for reader in self._exporters if not reader.pending])
                self._commit()
                self._complete()
        except BaseException as error:
            first = self._give_up(error)
            if first is error:
                raise
            raise first from error

    # -- putting it together

    def _node(self, block: Block) -> Node:
        code = namespace.load(block)
        namespace.main_function(block, code)
        if code.preprocessers:
            raise misuse(
                block,
                f"block '{block.uuid}' streams and has a @preprocesser, which takes the whole input",
                "take `stream: true` off the block to get one frame",
            )
        record = self._run.record.block(block.uuid)
        tests = [(function, TestRecord(name=function.__name__)) for function in code.tests]
        record.tests = [test for _, test in tests]
        return Node(block=block, code=code, record=record, tests=tests)

    def _connect(self, node: Node) -> None:
        run, block = self._run, node.block
        if node is not self._source:
            fed_by = next(uuid for uuid in block.upstream if uuid in self._nodes)
            node.place = block.upstream.index(fed_by)
            node.inputs = self._inputs[block.uuid]
            parent = self._nodes[fed_by]
            if node.is_exporter:
                reader = Reader(node, partial(self._call, node), name=block.uuid, counts=True)
                parent.readers.append(reader)
                self._exporters.append(reader)
                self._add_checks(node, parent)
            else:
                parent.children.append(node)
        outside = [reader for reader in run.pipeline.downstream(block.uuid) if reader.uuid not in self._nodes]
        if any(reader.language == "sql" for reader in outside):
            outside = self._fill_tables(node, outside)
        if outside or (not node.is_exporter and addons.want_output(block)):
            node.whole = []
        if not node.is_exporter:
            self._add_whole_tests(node)
            self._add_checks(node, node)

    def _fill_tables(self, node: Node, outside: Sequence[Block]) -> list[Block]:
        """Write the batches to the tables that SQL blocks outside read. Returns those who want the rows themselves."""
        from mage_project.runner.sql import streams

        for table in streams.tables_of(self._run, node.block, outside):
            writer = Node(block=node.block, code=namespace.Code(), record=node.record)
            reader = Reader(writer, partial(table.fill, self._run), name=f"{node.block.uuid} to a table", counts=False)
            node.readers.append(reader)
            self._exporters.append(reader)
            self._tables.append(reader)
        return [reader for reader in outside if streams.wants_rows(reader)]

    def _add_whole_tests(self, node: Node) -> None:
        for function, record in node.tests:
            if takes_stream(function):
                read = partial(self._whole_test, node, function, record)
                reader = Reader(node, read, name=f"{node.block.uuid}.{record.name}", counts=False)
                node.readers.append(reader)
                self._whole_tests.append(reader)

    def _add_checks(self, node: Node, source: Node) -> None:
        """The checks of a block read what it makes; those of an exporter what it is given."""
        if node.block.checks:
            reader = Reader(node, partial(self._check, node), name=f"{node.block.uuid}'s checks", counts=False)
            source.readers.append(reader)
            self._whole_tests.append(reader)

    def _check(self, node: Node, batches: Iterator[Any]) -> None:
        from mage_project.runner.checks import checked

        node.record.checks = checked(node.block, self._run, batches)

    def _whole_test(self, node: Node, test: Callable[..., Any], record: TestRecord, batches: Iterator[Any]) -> None:
        with self._run.speaking(node.block):
            run_test(node.block, test, [batches], self._run.keywords(node.block, stream=True), record)

    def _call(self, node: Node, value: Any) -> Any:
        """The block's function on one batch, or on the iterator of all of them."""
        function = namespace.main_function(node.block, node.code)
        inputs = [value if place == node.place else values.for_reader(whole) for place, whole in enumerate(node.inputs)]
        try:
            with self._run.speaking(node.block):
                return call(function, inputs, self._run.keywords(node.block, stream=True))
        except StreamBroken:
            raise
        except RAISED as error:
            if isinstance(error.__context__, StreamBroken) or isinstance(error.__cause__, StreamBroken):
                raise StreamBroken from error
            raise block_error(node.block, error, calling=function) from error

    # -- running

    def _start(self) -> None:
        for node in self._nodes.values():
            node.record.status = "running"
            self._run.reporter.block_started(node.record)
        for reader in [*self._whole_tests, *self._exporters]:
            reader.start()

    def _pump(self) -> None:
        """Drive the source: each batch goes through its transformers and to every reader."""
        source = self._source
        with self._run.speaking(source.block):
            ahead = Ahead(lambda: self._batches(source), name=source.block.uuid)
            try:
                for batch in ahead:
                    source.record.seconds = ahead.seconds
                    self._hand_on(source, batch)
            finally:
                ahead.close()
                source.record.seconds = ahead.seconds

    def _batches(self, source: Node) -> Generator[Any, None, None]:
        """The frames that the loader returns: an iterator of them, or a single one."""
        output = self._call(source, None)
        if values.is_frame(output):
            yield output
            return
        if not isinstance(output, Iterator):
            raise misuse(
                source.block,
                f"block '{source.block.uuid}' returned a {type(output).__name__} where a stream of DataFrames belongs",
                "return an iterator of DataFrames, or take `stream: true` off the block",
            )
        try:
            yield from output
        except RAISED as error:
            raise block_error(source.block, error) from error

    def _hand_on(self, node: Node, batch: Any) -> None:
        """Test what the node made, count it, and give every consumer its own copy."""
        if not values.is_frame(batch):
            raise misuse(
                node.block,
                f"block '{node.block.uuid}' gave a {type(batch).__name__} where a DataFrame belongs",
                "a streaming block returns one DataFrame for each batch",
            )
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
        started = time.perf_counter()
        node.record.count_in(len(batch), size_bytes)
        origin = batch.attrs
        result = self._call(node, batch)
        if values.is_frame(result):
            # What a batch says of where it comes from stays with it, also when the block builds a new frame.
            result.attrs = {**origin, **result.attrs}
        node.record.seconds += time.perf_counter() - started
        self._hand_on(node, result)

    def _test(self, node: Node, batch: Any) -> None:
        """The tests that take each batch. Those that want the whole stream read it as readers."""
        each = [(function, record) for function, record in node.tests if not takes_stream(function)]
        for function, record in each:
            run_test(node.block, function, [values.for_reader(batch)], self._run.keywords(node.block), record)
        verdict(node.block, [record for _, record in each])

    def _finish_tests(self) -> None:
        """The stream has ended: the verdict on the whole of it, before any exporter learns of the end."""
        for reader in self._whole_tests:
            reader.finish()
        for node in self._nodes.values():
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

    def _commit(self) -> None:
        """Everything that can fail first, for every store; then the commits themselves."""
        self._step(commits.Commits.prepare_all)
        try:
            self._step(commits.Commits.commit_all)
        finally:
            for reader in self._exporters:
                reader.node.record.written += reader.pending.done

    def _step(self, step: Callable[[commits.Commits], None]) -> None:
        """Take a step with the commits of every exporter. After a failure those not committed are rolled back."""
        waiting = [reader for reader in self._exporters if reader.pending]
        for place, reader in enumerate(waiting):
            try:
                step(reader.pending)
            except Exception as error:
                for other in waiting[place + 1 :] if step is commits.Commits.commit_all else waiting:
                    self._roll_back(other)
                reader.node.record.status = "failed"
                blamed = block_error(reader.node.block, error)
                if step is commits.Commits.commit_all and place > 0:
                    blamed.transient = False  # doing all of it again would do twice what is done
                    blamed.add_note(f"{commits.PARTLY_DONE}: {waiting[0].node.block.uuid}")
                raise blamed from error

    def _complete(self) -> None:
        self._run.stored.update(reader.result for reader in self._tables)
        for node in self._nodes.values():
            node.record.status = "completed"
            if node.whole is not None:
                whole = values.gathered(node.whole)
                self._run.values.put(node.block.uuid, whole)
                if node.block.callbacks:
                    self._run.returned[node.block.uuid] = whole

    def _roll_back(self, reader: Reader) -> None:
        """Roll back what the reader handed over. Its store forgets the transaction anyway if that fails."""
        try:
            reader.pending.rollback_all()
        except Exception as error:  # noqa: BLE001 - the error that led here is the one to tell
            self._run.warn(reader.node.block, f"could not be rolled back in order: {error}")

    def _give_up(self, error: BaseException) -> BaseException:
        """End every reader, roll everything back, and find the error that came first."""
        readers = [*self._whole_tests, *self._exporters]
        for reader in readers:
            reader.channel.fail()
        for reader in readers:
            if reader.error is None or reader.pending:
                reader.join()
            self._roll_back(reader)
        causes = [reader for reader in readers if reader.error and not isinstance(reader.error, StreamBroken)]
        for node in self._nodes.values():
            if node.record.status != "completed":
                node.record.status = "cancelled"
        if isinstance(error, ReaderGone) and causes:
            error = causes[0].error or error
        self._blame(error)
        return error

    def _blame(self, error: BaseException) -> None:
        """Mark the block that the error names as failed."""
        uuid = error.block if isinstance(error, MageProjectError) else None
        if uuid in self._nodes:
            record = self._nodes[uuid].record
            record.status, record.error = "failed", str(error)

"""The wires of a stream: its blocks, what each of them feeds, and who reads what they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mage_project.project import Block
from mage_project.runner import addons, namespace, values
from mage_project.runner.blame import RAISED, block_error, misuse
from mage_project.runner.calls import call, takes_stream
from mage_project.runner.channel import StreamBroken
from mage_project.runner.gathering import Gathering
from mage_project.runner.inline_tests import run_test
from mage_project.runner.readers import Node, Reader
from mage_project.runner.records import TestRecord

if TYPE_CHECKING:
    from mage_project.runner.plan import Unit
    from mage_project.runner.run import Run


class Wiring:
    """The nodes of a stream by block, the source first; and its readers by what they are for."""

    def __init__(self, unit: Unit, run: Run, inputs: Mapping[str, Sequence[Any]]) -> None:
        """`inputs`: for each block of the unit the outputs of its upstream blocks outside, None for a member's."""
        self._run = run
        self._inputs = inputs
        self.nodes = {block.uuid: self._node(block) for block in unit.blocks}
        self.source = self.nodes[unit.blocks[0].uuid]
        self.exporters: list[Reader] = []
        self.whole_tests: list[Reader] = []
        #: Those of the exporters that write tables for SQL blocks outside.
        self.tables: list[Reader] = []
        for node in self.nodes.values():
            self._connect(node)

    @property
    def readers(self) -> list[Reader]:
        return [*self.whole_tests, *self.exporters]

    def call(self, node: Node, value: Any) -> Any:
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
        if node is not self.source:
            fed_by = next(uuid for uuid in block.upstream if uuid in self.nodes)
            node.place = block.upstream.index(fed_by)
            node.inputs = self._inputs[block.uuid]
            parent = self.nodes[fed_by]
            if node.is_exporter:
                reader = Reader(node, partial(self.call, node), name=block.uuid, counts=True)
                parent.readers.append(reader)
                self.exporters.append(reader)
                self._add_checks(node, parent)
            else:
                parent.children.append(node)
        outside = [reader for reader in run.pipeline.downstream(block.uuid) if reader.uuid not in self.nodes]
        if any(reader.language == "sql" for reader in outside):
            outside = self._fill_tables(node, outside)
        if outside or (not node.is_exporter and addons.want_output(block)):
            node.whole = Gathering(block.uuid, run.budget)
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
            self.exporters.append(reader)
            self.tables.append(reader)
        return [reader for reader in outside if streams.wants_rows(reader)]

    def _add_whole_tests(self, node: Node) -> None:
        for function, record in node.tests:
            if takes_stream(function) and not self._run.limits.sample_rows:
                read = partial(self._whole_test, node, function, record)
                reader = Reader(node, read, name=f"{node.block.uuid}.{record.name}", counts=False)
                node.readers.append(reader)
                self.whole_tests.append(reader)

    def _add_checks(self, node: Node, source: Node) -> None:
        """The checks of a block read what it makes; those of an exporter what it is given."""
        if node.block.checks:
            reader = Reader(node, partial(self._check, node), name=f"{node.block.uuid}'s checks", counts=False)
            source.readers.append(reader)
            self.whole_tests.append(reader)

    def _check(self, node: Node, batches: Iterator[Any]) -> None:
        from mage_project.runner.checks import checked

        node.record.checks = checked(node.block, self._run, batches)

    def _whole_test(self, node: Node, test: Callable[..., Any], record: TestRecord, batches: Iterator[Any]) -> None:
        with self._run.speaking(node.block):
            run_test(node.block, test, [batches], self._run.keywords(node.block, stream=True), record)

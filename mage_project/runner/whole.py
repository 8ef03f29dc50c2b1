"""One block on whole values: its code on its inputs, then its tests, then the commits of what it wrote."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mage_project.project import Block
from mage_project.runner import dynamic, namespace, sensors, values
from mage_project.runner.blame import RAISED, block_error, misuse
from mage_project.runner.block_commits import committed_together
from mage_project.runner.calls import call, takes_stream
from mage_project.runner.inline_tests import run_test, verdict
from mage_project.runner.records import TestRecord

if TYPE_CHECKING:
    from mage_project.quality.results import CheckResult
    from mage_project.runner.run import Run


class Whole:
    """One attempt to run one block."""

    def __init__(
        self, block: Block, run: Run, inputs: Sequence[Any], *, handing: Callable[[Any], None] | None = None
    ) -> None:
        """`handing` is called with the output when all tests have passed, before anything is committed."""
        self._handing = handing
        self._block = block
        self._run = run
        self._inputs = inputs
        self._record = run.record.block(block.uuid)

    def execute(self) -> Any:
        """What the block returned. Raises its error, with nothing committed."""
        block, run, record = self._block, self._run, self._record
        if not block.runs:
            record.status = "skipped"
            self._say_why()
            return None
        record.status = "running"
        run.reporter.block_started(record)
        record.count_in(values.total_rows(self._inputs), values.total_size(self._inputs))
        started = time.perf_counter()
        try:
            with run.speaking(block), committed_together(run, block):
                code = namespace.load(block)
                if block.checks and block.type == "data_exporter":  # what it is given, before it writes any of it
                    verdict(block, [], self._checked(self._inputs))
                output = self._output(code)
                record.explain(**values.take_explanation(output))
                handed_on = values.handed_on(output)
                if block.is_dynamic and run.pipeline.downstream(block.original):
                    handed_on = [item.value for item in dynamic.items_of(block, values.outputs(output))]
                    for what in dynamic.surprises(block, values.outputs(output)):
                        run.warn(block, what)
                record.count_out(values.rows(handed_on), values.size(handed_on))
                record.describe(handed_on)
                if block.callbacks:
                    run.returned[block.uuid] = values.handed_on(output)
                self._test(code, output)
                if self._handing:
                    self._handing(output)
        finally:
            record.seconds = time.perf_counter() - started
        if output is not None:
            run.keep(block, values.outputs(output) if block.is_dynamic else handed_on)
        record.status = "completed"
        return output

    def _say_why(self) -> None:
        """Why the block is passed over, where that may not be meant."""
        if self._block.has_no_store:
            from mage_project.runner.sql.settings import without_store

            self._run.warn(self._block, without_store(self._block))

    def _output(self, code: namespace.Code) -> Any:
        block, run = self._block, self._run
        if block.language == "sql":
            from mage_project.runner.sql import blocks

            return blocks.output(run, block, self._inputs)
        function = namespace.main_function(block, code)
        mine = [values.for_reader(value) for value in self._inputs]
        for preparation in code.preprocessers:  # what they change in the inputs, the block sees
            self._call(preparation, mine)
        if block.type == "sensor":  # it has no output: what it returns says whether to go on
            given = sensors.inputs_for(function, mine)
            sensors.wait(block, lambda: self._call(function, given), partial(run.reporter.said, block.uuid))
            return None
        output = self._sampled(function, mine) if run.limits.sample_rows else self._call(function, mine)
        if inspect.isgenerator(output):
            raise misuse(
                block,
                f"block '{block.uuid}' is a generator",
                "return a value; or set `configuration: {stream: true}` for it, to have it run batch by batch",
            )
        if values.is_frame(output) and len(mine) == 1 and values.is_frame(self._inputs[0]):
            # What a frame says of where it comes from stays with it, also when the block builds a new one.
            output.attrs = {**self._inputs[0].attrs, **output.attrs}
        return output

    def _sampled(self, function: namespace.Function, inputs: Sequence[Any]) -> Any:
        """The first rows, where the block brings rows in; of one that streams in the pipeline no more are read."""
        from mage_project.runner import sampling

        block, rows = self._block, self._run.limits.sample_rows or 0
        if not sampling.is_cut(block):
            return self._call(function, inputs)
        streams = self._run.whole.block(block.original).streams
        output = self._call(function, inputs, stream=streams)
        if streams and isinstance(output, Iterator):
            output = values.gathered(list(sampling.cut_stream(output, rows)))
        return sampling.cut(output, rows)

    def _call(self, function: namespace.Function, inputs: Sequence[Any], *, stream: bool = False) -> Any:
        try:
            return call(function, inputs, self._run.keywords(self._block, stream=stream))
        except RAISED as error:
            raise block_error(self._block, error, calling=function) from error

    def _test(self, code: namespace.Code, output: Any) -> None:
        block, keywords = self._block, self._run.keywords(self._block)
        for function in code.tests:
            if self._run.limits.sample_rows and takes_stream(function):
                continue  # it is about the whole
            test = TestRecord(name=function.__name__)
            self._record.tests.append(test)
            given = {**keywords, "stream": False} if takes_stream(function) else keywords
            run_test(block, function, [values.for_reader(value) for value in values.outputs(output)], given, test)
        if block.checks and block.type != "data_exporter":
            self._checked(values.outputs(output)[:1] if block.is_dynamic else values.outputs(output))
        verdict(block, self._record.tests, self._record.checks)

    def _checked(self, given: Sequence[Any]) -> list[CheckResult]:
        from mage_project.runner.checks import checked, only_frame

        self._record.checks = checked(self._block, self._run, [only_frame(self._block, given)])
        return self._record.checks

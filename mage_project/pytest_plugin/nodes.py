"""What pytest sees of a project: pipelines, their blocks, and an item for each test of a block."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from mage_project.errors import MageProjectError
from mage_project.project import Block, Pipeline, Project
from mage_project.pytest_plugin.names import numbered, test_functions
from mage_project.pytest_plugin.trials import Trial


class PipelineNode(pytest.Collector):
    """A pipeline. It runs once, when the first of its items is asked for."""

    def __init__(self, *, project: Project, variables: Mapping[str, Any], is_chosen: bool, **kwargs: Any) -> None:
        """`is_chosen`: whether it was asked for by name, so that a month that is not there is an error."""
        super().__init__(**kwargs)
        self._project = project
        self._variables = variables
        self._is_chosen = is_chosen
        self._told = False
        self.known: set[tuple[str, str]] = set()

    @cached_property
    def pipeline(self) -> Pipeline:
        return self._project.pipeline(self.name)

    def collect(self) -> Iterator[pytest.Collector]:
        """The blocks that have a file. Raises CollectError for a pipeline that is wrong."""
        try:
            blocks = self.pipeline.blocks
        except MageProjectError as error:
            raise self.CollectError(str(error)) from error
        for block in blocks:
            if block.runs and block.path is not None:
                nodeid = f"{self.nodeid}/{block.uuid}"
                yield BlockNode.from_parent(self, name=block.uuid, nodeid=nodeid, path=block.path, block=block)

    @cached_property
    def trial(self) -> Trial:
        """The run. Ends the session where the run was interrupted."""
        trial = Trial(self.pipeline, self._variables)
        if trial.exit_code > 128:
            pytest.exit(trial.error or "interrupted", returncode=trial.exit_code)
        return trial

    def explain(self, uuid: str) -> None:
        """Skip a test that has not run, after an error of the run itself has been told once."""
        trial = self.trial
        if trial.is_not_published and not self._is_chosen:
            pytest.skip(f"not published: {_first_line(trial.error)}")
        self.tell()
        pytest.skip(trial.reason(uuid))

    def tell(self) -> None:
        """Fail with the error of the run itself, once: a block that broke, or a failed test that is no item."""
        trial = self.trial
        unknown = set(trial.failed_tests()) - self.known
        if self._told or not (trial.has_broken or unknown):
            return
        self._told = True
        pytest.fail(f"pipeline '{self.name}' could not be run: {trial.error}", pytrace=False)

    def teardown(self) -> None:
        """An error that none of the items had to tell."""
        if "trial" in self.__dict__ and not (self.trial.is_not_published and not self._is_chosen):
            self.tell()


class BlockNode(pytest.Collector):
    """A block of a pipeline."""

    def __init__(self, *, block: Block, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._block = block

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each test. Raises CollectError for a file that is no Python."""
        functions = self._functions()
        names = [function.name for function in functions]
        pipeline = self.parent
        assert isinstance(pipeline, PipelineNode)  # noqa: S101 - it makes them
        pipeline.known |= {(self._block.uuid, name) for name in names}
        for place, (function, name) in enumerate(zip(functions, numbered(names), strict=True)):
            yield TestItem.from_parent(
                self, name=name, function=function, place=names[:place].count(function.name), node=pipeline
            )

    def _functions(self) -> list[ast.FunctionDef]:
        if self._block.language != "python":
            return []
        try:
            return test_functions(self.path)
        except SyntaxError as error:
            raise self.CollectError(f"{self.path}:{error.lineno}: not valid Python: {error.msg}") from error
        except ValueError as error:  # a NUL byte
            raise self.CollectError(f"{self.path}: not valid Python: {error}") from error


class TestItem(pytest.Item):
    """A `@test` function of a block."""

    __test__ = False

    def __init__(self, *, function: ast.FunctionDef, place: int, node: PipelineNode, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._function = function
        self._place = place
        self._pipeline = node

    @property
    def _block(self) -> str:
        assert self.parent is not None  # noqa: S101 - a block made it
        return self.parent.name

    def setup(self) -> None:
        """Run the pipeline, if it has not run. What broke it is an error of the first test that had to run."""
        if self._pipeline.trial.test(self._block, self._function.name, self._place) is None:
            self._pipeline.explain(self._block)

    def runtest(self) -> None:
        test = self._pipeline.trial.test(self._block, self._function.name, self._place)
        assert test is not None  # noqa: S101 - else it was skipped
        if test.passed and test.message:
            self.add_report_section("call", "message", test.message)
        elif not test.passed:
            pytest.fail(f"{test.message}\n  where: {test.where}", pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self._function.lineno - 1, self.nodeid


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]

"""What pytest sees of a project: pipelines, their blocks, and an item for each test of a block."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest

from mage_project.errors import MageProjectError
from mage_project.project import Block, Pipeline, Project
from mage_project.pytest_plugin.names import numbered, test_functions
from mage_project.pytest_plugin.trials import Trial, Verdict
from mage_project.runner.variables import plain


class CheckWarning(pytest.PytestWarning):
    """A check that is broken and has `severity: warn`."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A test or a check as the files declare it; `find` finds its verdict in a trial."""

    name: str
    path: Path
    line: int
    find: Callable[[Trial], Verdict | None]


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
        variables = {**plain(self.pipeline.variables), **self._variables}
        for block in blocks:
            if block.runs and block.path is not None:
                nodeid = f"{self.nodeid}/{block.uuid}"
                yield BlockNode.from_parent(
                    self, name=block.uuid, nodeid=nodeid, path=block.path, block=block, variables=variables
                )

    @cached_property
    def trial(self) -> Trial:
        """The run. Ends the session where the run was interrupted."""
        trial = Trial(self.pipeline, self._variables)
        if trial.exit_code > 128:
            pytest.exit(trial.error or "interrupted", returncode=trial.exit_code)
        return trial

    def reason(self, uuid: str) -> str:
        """Why a test of the block has not run. Fails with an error of the run itself that was not told before."""
        self._tell()
        return f"not published: {_first_line(self.trial.error)}" if self._is_early else self.trial.reason(uuid)

    def teardown(self) -> None:
        """Fails with an error that none of the items had to tell."""
        if "trial" in self.__dict__:
            self._tell()

    @property
    def _is_early(self) -> bool:
        """Whether there is nothing to load yet, and nobody asked for it."""
        return self.trial.is_not_published and not self._is_chosen

    def _tell(self) -> None:
        """Fail with the error of the run itself, once: a block that broke, or a failed test that is no item."""
        trial = self.trial
        unknown = trial.failed() - self.known
        if self._told or self._is_early or not (trial.has_broken or unknown):
            return
        self._told = True
        pytest.fail(f"pipeline '{self.name}' could not be run: {trial.error}", pytrace=False)


class BlockNode(pytest.Collector):
    """A block of a pipeline."""

    def __init__(self, *, block: Block, variables: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._block = block
        self._variables = variables

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each test, then one for each check that is for these variables.

        Raises CollectError for a file that is no Python.
        """
        found = [*self._tests(), *self._checks()]
        for name, declared in zip(numbered(each.name for each in found), found, strict=True):
            yield BlockItem.from_parent(self, name=name, path=declared.path, declared=declared)

    def _tests(self) -> Iterator[Declared]:
        seen: Counter[str] = Counter()
        for function in self._functions():
            find = partial(Trial.test, uuid=self.name, name=function.name, place=seen[function.name])
            seen[function.name] += 1
            yield Declared(name=function.name, path=self.path, line=function.lineno, find=find)

    def _checks(self) -> Iterator[Declared]:
        metadata = _pipeline_of(self).path
        for rule in self._block.checks:
            if rule.is_for(self._variables):
                find = partial(Trial.check, uuid=self.name, name=rule.name)
                yield Declared(name=rule.name, path=metadata, line=self._block.line, find=find)

    def _functions(self) -> list[ast.FunctionDef]:
        if self._block.language != "python":
            return []
        try:
            return test_functions(self.path)
        except SyntaxError as error:
            raise self.CollectError(f"{self.path}:{error.lineno}: not valid Python: {error.msg}") from error
        except ValueError as error:  # a NUL byte
            raise self.CollectError(f"{self.path}: not valid Python: {error}") from error


class BlockItem(pytest.Item):
    """A test or a check of a block."""

    def __init__(self, *, declared: Declared, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._declared = declared
        self._pipeline = _pipeline_of(self)
        self._pipeline.known.add((self._block, declared.name))

    @property
    def _block(self) -> str:
        assert self.parent is not None  # noqa: S101 - a block made it
        return self.parent.name

    @property
    def _verdict(self) -> Verdict | None:
        return self._declared.find(self._pipeline.trial)

    def prepare(self) -> None:
        """Run the pipeline, if it has not run. What broke it is an error of the first test that it kept from running.

        Before `setup`, so that pytest itself skips the test, and names the test's own file for it.
        """
        if self._verdict is None:
            self.add_marker(pytest.mark.skip(reason=self._pipeline.reason(self._block)))

    def runtest(self) -> None:
        verdict = self._verdict
        assert verdict is not None  # noqa: S101 - else it was skipped
        message = verdict.message or ""
        if verdict.passed:
            self.add_report_section("call", "message", message)
        elif verdict.is_warning:
            self.warn(CheckWarning(f"{self.nodeid}\n{message}"))
        else:
            pytest.fail(message, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is declared, and what a failure is headed with."""
        # Not as a node id ends: pytest would take its points for those of a class.
        return self.path, self._declared.line - 1, f"{self.name} ({self._pipeline.name}/{self._block})"


def _pipeline_of(node: pytest.Item | pytest.Collector) -> PipelineNode:
    found = node.getparent(PipelineNode)
    assert found is not None  # noqa: S101 - it makes them
    return found


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]

"""One call of pytest for a project: which pipelines, with which variables, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mage_project.project import Project
from mage_project.project.model import ONLY_IN_MAGE
from mage_project.pytest_plugin.nodes import BlockItem, PipelineNode
from mage_project.runner.variables import parse_assignments


class Session:
    """The plugin while it is active."""

    def __init__(self, config: pytest.Config) -> None:
        """Raises UsageError for a project, pipeline or variable that is none."""
        self._project = Project(config.getoption("--mage-project"))
        self._variables = _variables(config.getoption("--source"), config.getoption("--var"))
        self._chosen: tuple[str, ...] = tuple(dict.fromkeys(config.getoption("--pipeline")))
        #: The pipelines that are run, and why others are not.
        self.pipelines, self._left_out = self._sorted_out()
        self._outcomes: set[str] = set()

    @staticmethod
    def of(config: pytest.Config) -> Session:
        found = config.pluginmanager.get_plugin("mage-project-session")
        assert isinstance(found, Session)  # noqa: S101 - registered in pytest_configure
        return found

    def _sorted_out(self) -> tuple[tuple[str, ...], Mapping[str, str]]:
        if self._chosen:
            for uuid in self._chosen:
                self._project.inspect(uuid)
            return self._chosen, {}
        reasons = {uuid: self._reason_against(uuid) for uuid in self._project.uuids}
        chosen = tuple(uuid for uuid, reason in reasons.items() if reason is None)
        return chosen, {uuid: reason for uuid, reason in reasons.items() if reason is not None}

    def _reason_against(self, uuid: str) -> str | None:
        pipeline, _ = self._project.inspect(uuid)
        if pipeline.type in ONLY_IN_MAGE["pipeline"]:
            return ONLY_IN_MAGE["pipeline"][pipeline.type]
        if "source" in self._variables and "source" not in pipeline.variables:
            return "no variable 'source'"
        return None

    # -- what pytest calls

    def pytest_report_header(self) -> list[str]:
        lines = [f"mage-project: {self._project.root}", f"pipelines: {', '.join(self.pipelines) or 'none'}"]
        if self._left_out:
            lines.append("left out: " + ", ".join(f"{uuid} ({reason})" for uuid, reason in self._left_out.items()))
        return lines

    @pytest.hookimpl(tryfirst=True)  # before the items are chosen by -k
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        for uuid in self.pipelines:
            node = PipelineNode.from_parent(
                session,
                name=uuid,
                nodeid=uuid,
                path=self._project.root / "pipelines" / uuid / "metadata.yaml",
                project=self._project,
                variables=self._variables,
                is_chosen=bool(self._chosen),
            )
            items.extend(session.genitems(node))

    @pytest.hookimpl(tryfirst=True)  # before pytest looks at what is to be skipped
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if isinstance(item, BlockItem):
            item.prepare()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid.partition("/")[0] in self.pipelines and (report.when == "call" or not report.passed):
            self._outcomes.add(report.outcome)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Where everything was skipped nothing was tested, and pytest must not end as if all were well."""
        if self._outcomes == {"skipped"} and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def _variables(source: str | None, assignments: Sequence[str]) -> dict[str, Any]:
    given = parse_assignments(assignments)
    return given if source is None else {**given, "source": source}

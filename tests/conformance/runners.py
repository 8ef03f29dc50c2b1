"""Real Mage and the runner, as their users start them."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.conformance.box import INSIDE, REPOSITORY, THIS_CHECKOUT, Box, Ended

#: For each block that has in-line tests: how many passed, of how many.
Verdicts = list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a pipeline ended ("done", or the error), and what its blocks saw: one line for each call of `saw`."""

    outcome: str
    lines: list[str]


@dataclass(frozen=True, kw_only=True)
class Runner:
    """One of the two. `commands` is the folder with its commands and its Python."""

    name: str
    commands: Path
    box: Box
    env: ClassVar[Mapping[str, str]] = {}

    def several(self, project: Path, pipelines: Mapping[str, Mapping[str, Any]]) -> dict[str, Seen]:
        """Run pipelines, with these run-time variables, one after another in one process."""
        return self._carry_out(project, pipelines, "several.py", self.name)

    def each(self, runs: Mapping[str, tuple[Path, str, Mapping[str, Any]]]) -> dict[str, str]:
        """Run pipelines of several projects (folder, pipeline, variables), as `several` does; how each ended."""
        (first, *_) = runs.values()
        elsewhere = {label: [str(project), *rest] for label, (project, *rest) in runs.items()}
        done = self._carry_out(first[0], {}, "several.py", self.name, elsewhere=elsewhere)
        return {label: seen.outcome for label, seen in done.items()}

    def _carry_out(
        self, project: Path, pipelines: Mapping[str, Mapping[str, Any]], script: str, *words: str, **more: Any
    ) -> dict[str, Seen]:
        notes = Path(tempfile.mkdtemp(prefix=f"notes of {self.name} on {project.name} ", dir=self.box.folder))
        plan = notes / "plan.json"
        plan.write_text(json.dumps({"project": str(project), "notes": str(notes), "pipelines": pipelines, **more}))
        ended = self.box.run(self.commands / "python", INSIDE / script, *words, plan, env=self.env)
        assert ended.exit_code == 0, ended.said
        outcomes = json.loads((notes / "outcomes.json").read_text())
        return {
            uuid: Seen(outcome=outcome, lines=_lines(notes / f"{uuid}.jsonl")) for uuid, outcome in outcomes.items()
        }


class Mage(Runner):
    """Real Mage, with its in-line tests."""

    def init(self, project: Path) -> None:
        ended = self.box.run(self.commands / "mage", "init", project)
        assert ended.exit_code == 0, ended.said

    def run(self, project: Path, pipeline: str, variables: Mapping[str, Any]) -> Ended:
        given = json.dumps(dict(variables))
        return self.box.run(self.commands / "mage", "run", project, pipeline, "--test", "--runtime-vars", given)

    def scheduled(self, project: Path, pipelines: Mapping[str, Mapping[str, Any]]) -> dict[str, Seen]:
        """Run pipelines as Mage's scheduler does, one after another in one process."""
        return self._carry_out(project, pipelines, "scheduled.py")

    def verdicts(self, ended: Ended) -> Verdicts:
        return [(int(passed), int(of)) for passed, of in re.findall(r"(\d+)/(\d+) tests passed", ended.out)]


class Ours(Runner):
    """`mage-project`, of the checkout that this file lies in."""

    env = THIS_CHECKOUT

    def run(self, project: Path, pipeline: str, variables: Mapping[str, Any]) -> Ended:
        given = [
            f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in variables.items()
        ]
        words = [word for assignment in given for word in ("--var", assignment)]
        return self._do("run", pipeline, "--json", "--project", project, *words)

    def copy(self, project: Path, block: str, destination: Path) -> None:
        ended = self._do("copy", block, destination, "--project", project)
        assert ended.exit_code == 0, ended.said

    def _do(self, *words: str | Path) -> Ended:
        return self.box.run(self.commands / "mage-project", *words, env=self.env)

    def verdicts(self, ended: Ended) -> Verdicts:
        tests = [block["tests"] for block in json.loads(ended.out)["blocks"] if block["tests"]]
        return [(sum(test["passed"] for test in each), len(each)) for each in tests]


@dataclass(frozen=True, kw_only=True)
class Both:
    """The two of them."""

    mage: Mage
    ours: Ours

    def run(self, project: Path, pipeline: str, given: Callable[[str], Mapping[str, Any]]) -> dict[str, Ended]:
        """Run the pipeline by "mage" and by "ours"; from these names `given` makes the run-time variables of each."""
        return {runner.name: runner.run(project, pipeline, given(runner.name)) for runner in (self.mage, self.ours)}

    def succeed(self, project: Path, pipeline: str, given: Callable[[str], Mapping[str, Any]]) -> dict[str, Ended]:
        ended = self.run(project, pipeline, given)
        assert [each.exit_code for each in ended.values()] == [0, 0], "".join(
            each.said[-2000:] for each in ended.values()
        )
        return ended


def mage_commands() -> Path | None:
    """The commands of the environment with Mage: the one that MAGE_VENV names, else `.venv-mage`."""
    commands = Path(os.environ.get("MAGE_VENV", REPOSITORY / ".venv-mage")).absolute() / "bin"
    return commands if (commands / "mage").exists() else None


def our_commands() -> Path:
    """The commands of the environment that runs this. What they import, `THIS_CHECKOUT` says."""
    return Path(sys.executable).parent


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []

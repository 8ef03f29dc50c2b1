"""A copy of the project, and its command run there as a user runs it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
PARTS = (
    *("metadata.yaml", "io_config.yaml", "pipelines", "sample_data", "taxi"),
    *("data_loaders", "transformers", "data_exporters"),
)
#: What would lead a run away from the stores of its test.
LEADING = ("POSTGRES_", "PG", "GOOGLE_", "CLOUD_STORAGE_", "STORAGE_", "TAXI_")
MARK = "MAGE_PROJECT_TEST"
NOT_LONGER_S = 120


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a run ended: `report` is the object that --json prints, `said` what went to standard error."""

    exit_code: int
    report: dict[str, Any]
    said: str

    @property
    def error(self) -> str:
        return str(self.report["error"] or "")

    @property
    def findings(self) -> str:
        """The warnings, and what the tests said."""
        tests = [test["message"] or "" for block in self.report["blocks"] for test in block["tests"]]
        return "\n".join([*self.report["warnings"], *tests])


@dataclass(kw_only=True)
class Lab:
    """A project of its own in `root`. `env` names its stores; no output of a run may hold one of its `secrets`."""

    root: Path
    env: Mapping[str, str]
    pipeline: str = "green_taxi_etl"
    secrets: list[str] = field(default_factory=list)
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def __post_init__(self) -> None:
        for part in PARTS:
            copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy2
            copy(PROJECT / part, self.root / part)
        self.secrets += [value for name, value in self.env.items() if "PASSWORD" in name]

    def edit(self, file: str, old: str, new: str) -> None:
        """Change the project's own copy of a file, in one place."""
        path = self.root / file
        before = path.read_text()
        assert before.count(old) == 1, f"{file} has {old!r} {before.count(old)} times"
        path.write_text(before.replace(old, new))

    def start(self, variables: Mapping[str, Any], *, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """The command, running. Where a variable is a list it is written as YAML."""
        command = [str(Path(sys.executable).with_name("mage-project")), "run", self.pipeline, "--json"]
        for name, value in variables.items():
            command += ["--var", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(LEADING)}
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**clean, **self.env, **(env or {}), MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finished(self, command: subprocess.Popen[str]) -> Result:
        """Wait for the command. It prints one object, no traceback and no secret, and leaves no process."""
        out, said = command.communicate(timeout=NOT_LONGER_S)
        assert "Traceback" not in out + said, said
        assert not [secret for secret in self.secrets if secret in out + said], "a secret is shown"
        assert out.count("\n") == 1, f"more than one object was printed, or none: {out}{said}"
        assert not self.processes()
        result = Result(exit_code=command.returncode, report=json.loads(out), said=said)
        assert (result.exit_code == 0) is (result.report["status"] == "completed")
        return result

    def run(self, variables: Mapping[str, Any], *, env: Mapping[str, str] | None = None) -> Result:
        return self.finished(self.start(variables, env=env))

    def processes(self) -> list[int]:
        """The living processes that runs of this lab have started; Linux only, elsewhere none."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            if f"{MARK}={self.mark}".encode() in environment:
                found.append(int(process.name))
        return found


def eventually(condition: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
    """Wait until the condition holds; fail where it does not in `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"it never came true: {what}"
        time.sleep(0.01)

"""mage_ai.orchestration.triggers.api: a block that runs another pipeline."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mage_project.errors import BlockError
from mage_project.io.config import has_overrides
from mage_project.mage_ai.settings.repo import get_repo_path

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PipelineRun:
    """A run that has ended. `status` is 'completed' or 'failed', as in Mage."""

    pipeline_uuid: str
    status: str
    variables: Mapping[str, Any] = field(default_factory=dict)


def trigger_pipeline(
    pipeline_uuid: str,
    repo_path: str | None = None,
    variables: Mapping[str, Any] | None = None,
    check_status: bool = False,
    error_on_failure: bool = False,
    poll_interval: float = 60,
    poll_timeout: float | None = None,
    schedule_name: str | None = None,
    verbose: bool = True,
    **_kwargs: Any,
) -> PipelineRun:
    """Run a pipeline of the project to its end, in a process of its own, and say how it ended.

    Mage leaves the run to its scheduler and waits for it only with `check_status`; here it is always waited for, at
    most `poll_timeout` seconds. Raises BlockError for a run that fails if `error_on_failure`, and for one that takes
    longer.
    """
    given = dict(variables or {})
    words = [word for name, value in given.items() for word in ("--var", f"{name}={json.dumps(value, default=str)}")]
    command = [sys.executable, "-m", "mage_project", "run", pipeline_uuid, "--project", repo_path or get_repo_path()]
    if has_overrides():  # this run's stores are local ones, whatever the profiles name
        words.append("--local")
    try:
        ended = subprocess.run([*command, *words], capture_output=True, text=True, timeout=poll_timeout, check=False)
    except subprocess.TimeoutExpired as error:
        what = f"pipeline '{pipeline_uuid}' ran longer than {poll_timeout} s and was ended"
        raise BlockError(what, hint="give trigger_pipeline a longer poll_timeout") from error
    if verbose:
        print(ended.stdout, end="")
    if ended.returncode != 0:
        what = f"pipeline '{pipeline_uuid}', which this block runs, failed: {_told(ended)}"
        if error_on_failure:
            raise BlockError(what, hint=f"mage-project run {pipeline_uuid}")
        log.warning("%s; with error_on_failure=True this block would fail too", what)
    return PipelineRun(
        pipeline_uuid=pipeline_uuid, status="failed" if ended.returncode else "completed", variables=given
    )


def _told(ended: subprocess.CompletedProcess[str]) -> str:
    """What the run said last."""
    lines = [line.strip() for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
    return " ".join(lines[-5:]) or f"exit code {ended.returncode}"

"""A small, fast runner for Mage projects."""

from __future__ import annotations

TYPE_CHECKING = False  # not typing's: Ctrl-C while the first modules are imported would be nobody's
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from mage_project.runner.records import RunRecord


def run(pipeline: str, /, *, project: Path | str = ".", local: bool = False, **variables: Any) -> RunRecord:
    """Run a pipeline of the project and return the record of the run, as `mage-project run` does.

    Raises `MageProjectError` where the project itself is wrong; `record.status` and `record.error` tell the rest.
    """
    from mage_project.project import Project
    from mage_project.runner.running import run_pipeline

    return run_pipeline(Project(project), pipeline, variables, local=local)

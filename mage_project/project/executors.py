"""Where a block runs: `executor_type` of a pipeline and of a block; the block's own counts.

Mage 0.9.80 has local_python, and what starts a machine or a container for each block. `process` is not Mage's, which
runs every block of a schedule in a process of its own, and reads it as local_python. But where it writes it into its
database, for a pipeline with `run_pipeline_in_one_process`, it cannot read that any more.
"""

from __future__ import annotations

from mage_project.errors import did_you_mean
from mage_project.project.checking import Checker
from mage_project.project.document import Mapping

_HERE = ("local_python", "local_python_force", "process")
_ELSEWHERE = ("azure_container_instance", "ecs", "gcp_cloud_run", "k8s", "pyspark")


def in_process(content: Mapping, checker: Checker, *, default: bool = False) -> bool:
    """Whether it asks for a process; what is odd about it is a warning, for everything can run here."""
    given = content.get("executor_type")
    if given is None or given in _HERE:
        if given == "process" and content.get("run_pipeline_in_one_process") is True:
            what = "Mage's scheduler stops at a pipeline with 'executor_type: process' and run_pipeline_in_one_process"
            checker.error(what, content.line_of("executor_type"), hint="give executor_type to the blocks", warning=True)
        return given == "process" if given else default
    if given in _ELSEWHERE:
        what, meant = f"executor_type '{given}' is Mage's alone: here the block runs on this machine", ""
    else:
        meant = did_you_mean(str(given), [*_HERE, *_ELSEWHERE])
        what = f"unknown executor_type '{given}'.{meant}"
    checker.error(what, content.line_of("executor_type"), hint="executor_type: process", warning=not meant)
    return default

"""Runs several pipelines of a project, one after another in one process, by real Mage or by the runner.

    python several.py mage|ours PLAN.json

PLAN is {"project": folder, "notes": folder, "pipelines": {uuid: variables given at run time}}. In the notes each
pipeline gets <uuid>.jsonl, with what its blocks saw, and outcomes.json says how it ended: "done", or the error. Runs in
other projects may follow: "elsewhere": {label: [folder, uuid, variables]}.
"""

import json
import sys
from pathlib import Path

from carrying_out import carry_out


def by_mage(project, pipeline, variables):
    """What `mage run --test --runtime-vars VARIABLES` calls."""
    from mage_ai.cli.main import run

    unused = ("block_uuid", "execution_partition", "executor_type", "callback_url", "block_run_id", "pipeline_run_id")
    run(
        **dict.fromkeys(unused),
        project_path=project,
        pipeline_uuid=pipeline,
        test=True,
        runtime_vars=json.dumps(variables),
        skip_sensors=False,
        template_runtime_configuration=None,
    )


def by_the_runner(project, pipeline, variables):
    """What `mage-project run --var NAME=VALUE` calls, the values written as JSON."""
    from mage_project.project import Project
    from mage_project.runner.running import run_pipeline
    from mage_project.runner.variables import parse_assignments

    given = parse_assignments([f"{name}={json.dumps(value)}" for name, value in variables.items()])
    record = run_pipeline(Project(project), pipeline, given)
    if record.exit_code:
        raise RuntimeError(record.error)


def main():
    runner, plan = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    carry_out(plan, by_mage if runner == "mage" else by_the_runner)


main()

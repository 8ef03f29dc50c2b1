"""Runs several pipelines of a project by real Mage as its scheduler does, with a run in its database.

    python scheduled.py PLAN.json

PLAN and what is left in the notes are those of several.py. `mage run` alone looks at no callbacks, conditions and
dynamic blocks: they belong to block runs, which are made here as a trigger makes them.
"""

import datetime as dt
import json
import sys
from pathlib import Path

from carrying_out import carry_out


def prepare(project):
    from mage_ai.settings.repo import set_repo_path

    set_repo_path(project)
    sys.path.append(str(Path(project).parent))
    from mage_ai.orchestration.db import db_connection
    from mage_ai.orchestration.db.database_manager import database_manager

    database_manager.run_migrations()
    db_connection.start_session()


def run(project, uuid, variables):
    from mage_ai.data_preparation.executors.pipeline_executor import PipelineExecutor
    from mage_ai.data_preparation.models.pipeline import Pipeline
    from mage_ai.orchestration.db.models.schedules import PipelineRun, PipelineSchedule

    pipeline = Pipeline.get(uuid, repo_path=project)
    schedule = PipelineSchedule.create(name=uuid, pipeline_uuid=uuid)
    moment = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)  # noqa: UP017 - Mage's Python may be 3.10
    started = PipelineRun.create(
        pipeline_uuid=uuid,
        pipeline_schedule_id=schedule.id,
        execution_date=moment,
        variables=variables,
        create_block_runs=True,
    )
    started.update(status=PipelineRun.PipelineRunStatus.RUNNING)
    executor = PipelineExecutor(pipeline, execution_partition=started.execution_partition)
    executor.execute(global_vars=started.get_variables(), pipeline_run_id=started.id)


def main():
    plan = json.loads(Path(sys.argv[1]).read_text())
    prepare(plan["project"])
    carry_out(plan, run)


main()

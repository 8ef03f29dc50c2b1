"""Runs, their blocks, backfills and claims."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("trigger_name", sa.Text),
        sa.Column("backfill_id", sa.Text),
        sa.Column("execution_date", sa.Text, nullable=False),
        sa.Column("interval_end", sa.Text),
        sa.Column("variables", sa.Text, nullable=False),
        sa.Column("variables_key", sa.Text, nullable=False),
        sa.Column("git_commit", sa.Text),
        sa.Column("git_dirty", sa.Integer),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("started_by", sa.Text),
        *_process(),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("seconds", sa.Double),
        sa.Column("row_count", sa.BigInteger),
        sa.Column("peak_rss_bytes", sa.BigInteger),
        sa.Column("warnings", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("exit_code", sa.Integer),
    )
    op.create_index("run_started", "run", ["started_at"])
    op.create_index("run_pipeline_started", "run", ["pipeline", "started_at"])
    op.create_index("run_pipeline_date", "run", ["pipeline", "execution_date"])
    op.create_index("run_backfill", "run", ["backfill_id"])
    op.create_table(
        "block_run",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("uuid", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_table(
        "backfill",
        sa.Column("backfill_id", sa.Text, primary_key=True),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("request_key", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text),
        *_process(),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
    )
    op.create_index("backfill_request", "backfill", ["request_key", "started_at"])
    op.create_table(
        "claim",
        sa.Column("pipeline", sa.Text, primary_key=True),
        sa.Column("variables_key", sa.Text, primary_key=True),
        sa.Column("execution_date", sa.Text, primary_key=True),
        sa.Column("backfill_id", sa.Text, nullable=False),
        *_process(),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
    )


def _process() -> list[sa.Column[Any]]:
    return [
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("pid_started", sa.Text, nullable=False),
    ]

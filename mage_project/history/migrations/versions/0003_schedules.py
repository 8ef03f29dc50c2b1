"""Which scheduler leads, what is known of each trigger, and what became of each due run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "leader",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("pid_started", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
    )
    op.create_table(
        "trigger_state",
        sa.Column("pipeline", sa.Text, primary_key=True),
        sa.Column("trigger_name", sa.Text, primary_key=True),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("handled_at", sa.Double),
        sa.Column("paused_at", sa.Double),
    )
    op.create_table(
        "due_run",
        sa.Column("pipeline", sa.Text, primary_key=True),
        sa.Column("trigger_name", sa.Text, primary_key=True),
        sa.Column("due_at", sa.Double, primary_key=True),
        sa.Column("due_until", sa.Double, nullable=False),
        sa.Column("due_count", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("run_id", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("noted_at", sa.Double, nullable=False),
    )
    op.create_index("due_run_status", "due_run", ["status"])

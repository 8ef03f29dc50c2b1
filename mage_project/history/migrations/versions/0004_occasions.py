"""What makes runs due at no time of a timetable, and which run has started which."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("run", sa.Column("parent_run_id", sa.Text))
    op.create_index("run_parent", "run", ["parent_run_id"])
    op.create_table(
        "occasion",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("trigger_name", sa.Text, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("occasion_key", sa.Text),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("variables", sa.Text, nullable=False),
        sa.Column("execution_date", sa.Text),
        sa.Column("parent_run_id", sa.Text),
        sa.Column("line", sa.Text, nullable=False),
    )
    op.create_index("occasion_keyed", "occasion", ["pipeline", "trigger_name", "occasion_key"], unique=True)
    op.create_index("occasion_due", "occasion", ["pipeline", "trigger_name", "due_at"])
    op.create_table(
        "occasion_head",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO occasion_head (one, number) VALUES (1, 0)")

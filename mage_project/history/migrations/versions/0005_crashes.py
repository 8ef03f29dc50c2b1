"""Who is to hear of a run that is found crashed, and the runs by status: those that go on, or failed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("run", sa.Column("alerts", sa.Integer))
    op.create_index("run_status", "run", ["status", "started_at"])

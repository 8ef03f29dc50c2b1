"""Of which backfills people are to hear that are found crashed: the command that goes on with it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("backfill", sa.Column("again", sa.Text))

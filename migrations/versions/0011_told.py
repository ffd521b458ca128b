"""What was billed and what was left out is counted without reading every message."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TOLD = sa.text("billed > 0 OR status = 'skipped'")


def upgrade() -> None:
    op.create_index("ix_outbox_told", "outbox", ["done_at"], sqlite_where=TOLD, postgresql_where=TOLD)


def downgrade() -> None:
    op.drop_index("ix_outbox_told", table_name="outbox")

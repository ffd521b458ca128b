"""Alerts know when staff are called next; staff may be known by their Slack member id."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

DUE = sa.text("call_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("alert", sa.Column("calls", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("alert", sa.Column("call_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_alert_call", "alert", ["call_at", "id"], sqlite_where=DUE, postgresql_where=DUE)
    op.add_column("staff", sa.Column("slack_member", sa.String(), nullable=True))


def downgrade() -> None:
    """Nobody is called any more; alerts stay in the console."""
    op.drop_column("staff", "slack_member")
    op.drop_index("ix_alert_call", table_name="alert")
    op.drop_column("alert", "call_at")
    op.drop_column("alert", "calls")

"""Workspaces of Slack that installed the app by themselves, and the states of installations under way."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
WORDS = ("name", "app", "bot", "bot_user", "scopes", "installed_by")


def upgrade() -> None:
    op.create_table(
        "slack_workspace",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in WORDS),
        sa.Column("installed_at", UTC, nullable=True),
        sa.Column("gone_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("team", name="pk_slack_workspace"),
    )
    op.create_table(
        "slack_state",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_slack_state"),
    )
    op.create_index("ix_slack_state_expires_at", "slack_state", ["expires_at"])


def downgrade() -> None:
    op.drop_table("slack_state")
    op.drop_table("slack_workspace")

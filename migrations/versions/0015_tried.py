"""Failed sign-ins are counted for all processes together."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tried",
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_tried"),
    )
    op.create_index("ix_tried_ends_at", "tried", ["ends_at"], unique=False)


def downgrade() -> None:
    op.drop_table("tried")

"""Chats of the staff themselves, for tests."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "own_chat",
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("staff_id", NUMBER, nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_own_chat_contact_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_own_chat_staff_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", name="pk_own_chat"),
    )
    op.create_index("ix_own_chat_staff_id", "own_chat", ["staff_id"], unique=False)


def downgrade() -> None:
    op.drop_table("own_chat")

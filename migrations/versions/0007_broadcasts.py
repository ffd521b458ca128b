"""Broadcasts: messages to many, what was tapped in them, and words that staff put on contacts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATUSES = ("draft", "scheduled", "sending", "paused", "done", "cancelled")
OF_A_BROADCAST = sa.text("broadcast_id IS NOT NULL")


def upgrade() -> None:
    listed = ", ".join(f"'{status}'" for status in STATUSES)
    op.create_table(
        "broadcast",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("cursor", NUMBER, nullable=False),
        sa.Column("upper_id", NUMBER, nullable=True),
        sa.Column("put", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.JSON(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("start_at", UTC, nullable=True),
        sa.Column("begun_at", UTC, nullable=True),
        sa.Column("resumed_at", UTC, nullable=True),
        sa.Column("ended_at", UTC, nullable=True),
        sa.CheckConstraint(f"status IN ({listed})", name=op.f("ck_broadcast_status_known")),
        sa.PrimaryKeyConstraint("id", name="pk_broadcast"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_broadcast_status", "broadcast", ["status"], unique=False)
    op.create_table(
        "tap",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("broadcast_id", NUMBER, nullable=False),
        sa.Column("button", sa.Integer(), nullable=False),
        sa.Column("contact_id", NUMBER, nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcast.id"], name="fk_tap_broadcast_id"),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_tap_contact_id", ondelete="SET NULL"),
        sa.UniqueConstraint("broadcast_id", "button", "contact_id", name="uq_tap_broadcast_id_button_contact_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tap"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tap_contact_id", "tap", ["contact_id"], unique=False)
    op.create_table(
        "tag",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_tag_contact_id", ondelete="CASCADE"),
        sa.UniqueConstraint("contact_id", "name", name="uq_tag_contact_id_name"),
        sa.PrimaryKeyConstraint("id", name="pk_tag"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tag_name", "tag", ["name"], unique=False)
    op.add_column("outbox", sa.Column("broadcast_id", NUMBER, nullable=True))
    op.create_index(
        "ix_outbox_broadcast",
        "outbox",
        ["broadcast_id", "status", "id"],
        unique=False,
        sqlite_where=OF_A_BROADCAST,
        postgresql_where=OF_A_BROADCAST,
    )


def downgrade() -> None:
    """What a broadcast still wanted to say is not said: alone it would leave whatever staff had decided."""
    op.execute("DELETE FROM outbox WHERE broadcast_id IS NOT NULL AND status IN ('waiting', 'held')")
    op.drop_index("ix_outbox_broadcast", table_name="outbox")
    op.drop_column("outbox", "broadcast_id")
    for table in ("tag", "tap", "broadcast"):
        op.drop_table(table)

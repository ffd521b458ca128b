"""Reminders, and messages that leave together in one call."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
READY = sa.text("status IN ('waiting', 'held')")
ALONE = sa.text("status IN ('waiting', 'held') AND batch_key IS NULL")
TOGETHER = sa.text("status IN ('waiting', 'held') AND batch_key IS NOT NULL")
ACTIVE = sa.text("status = 'active'")


def upgrade() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("next_at", UTC, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'held', 'ended')", name=op.f("ck_reminder_status_known")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_reminder_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_reminder"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reminder_contact_id", "reminder", ["contact_id"], unique=False)
    for name, columns, unique in (
        ("ix_reminder_due", ["next_at", "id"], False),
        ("uq_reminder_contact_id_kind", ["contact_id", "kind"], True),
    ):
        op.create_index(name, "reminder", columns, unique=unique, sqlite_where=ACTIVE, postgresql_where=ACTIVE)
    op.add_column("outbox", sa.Column("batch_key", sa.String(), nullable=True))
    op.drop_index("ix_outbox_ready", table_name="outbox")
    _index("ix_outbox_ready", ["priority", "not_before", "id"], ALONE)
    _index("ix_outbox_batches", ["not_before", "id"], TOGETHER)


def downgrade() -> None:
    """Messages that were to leave together leave alone."""
    op.drop_index("ix_outbox_batches", table_name="outbox")
    op.drop_index("ix_outbox_ready", table_name="outbox")
    op.drop_column("outbox", "batch_key")
    _index("ix_outbox_ready", ["priority", "not_before", "id"], READY)
    op.drop_table("reminder")


def _index(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "outbox", columns, unique=False, sqlite_where=where, postgresql_where=where)

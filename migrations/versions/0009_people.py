"""Who of the staff talks with a patient, notes about patients, when a patient's name was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CONTACT = (("name_asked_at", UTC), ("taken_by", sa.String()), ("taken_until", UTC))


def upgrade() -> None:
    for name, kind in CONTACT:
        op.add_column("contact", sa.Column(name, kind, nullable=True))
    op.create_index("ix_contact_taken_until", "contact", ["taken_until"], unique=False)
    unnamed = sa.text("name IS NULL")
    op.create_index(
        "ix_contact_unnamed", "contact", ["name_asked_at"], unique=False, sqlite_where=unnamed, postgresql_where=unnamed
    )
    op.create_table(
        "note",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_note_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_note_contact_id", "note", ["contact_id"], unique=False)


def downgrade() -> None:
    op.drop_table("note")
    op.drop_index("ix_contact_unnamed", table_name="contact")
    op.drop_index("ix_contact_taken_until", table_name="contact")
    for name, _ in CONTACT:
        op.drop_column("contact", name)

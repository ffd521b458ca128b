"""Notes on a session, and what check-ups were answered."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("session", sa.Column("note", sa.String(), nullable=True))
    op.add_column("session", sa.Column("note_message_id", sa.String(), nullable=True))
    op.create_table(
        "measure",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("answers", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_measure_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_measure"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_measure_contact_id", "measure", ["contact_id"], unique=False)


def downgrade() -> None:
    """Notes and check-ups are lost."""
    op.drop_table("measure")
    op.drop_column("session", "note_message_id")
    op.drop_column("session", "note")

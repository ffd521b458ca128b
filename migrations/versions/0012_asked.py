"""Which questions of the screening people were asked: counted from now on."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("first_at", UTC, nullable=False),
        sa.Column("asked_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_asked_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact_id", "question", name="pk_asked"),
    )


def downgrade() -> None:
    op.drop_table("asked")

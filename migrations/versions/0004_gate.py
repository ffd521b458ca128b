"""The send gate as staff switch it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gate",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_gate_single")),
        sa.CheckConstraint("value IN ('off', 'test', 'on')", name=op.f("ck_gate_value_known")),
        sa.PrimaryKeyConstraint("id", name="pk_gate"),
    )


def downgrade() -> None:
    """SEND_GATE holds again."""
    op.drop_table("gate")

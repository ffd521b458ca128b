"""Messages that nobody asked for know their kind, and may leave along with others of the same person."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PUSHED = sa.text("kind IS NOT NULL")
RIDING = sa.text("carrier_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("outbox", sa.Column("kind", sa.String(), nullable=True))
    op.add_column("outbox", sa.Column("alone", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("ride_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "outbox", sa.Column("carrier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.create_index(
        "ix_outbox_pushed", "outbox", ["contact_id", "request_at"], sqlite_where=PUSHED, postgresql_where=PUSHED
    )
    op.create_index("ix_outbox_carrier_id", "outbox", ["carrier_id"], sqlite_where=RIDING, postgresql_where=RIDING)


def downgrade() -> None:
    """What was to leave along with something leaves alone."""
    op.drop_index("ix_outbox_carrier_id", table_name="outbox")
    op.drop_index("ix_outbox_pushed", table_name="outbox")
    for name in ("carrier_id", "ride_from", "alone", "kind"):
        op.drop_column("outbox", name)

"""Appointments, the waiting list, the clinic's calendar, and what pointed patients to the assessment."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("status IN ('held', 'requested', 'confirmed')")
DUE = sa.text("due_at IS NOT NULL")
WAITING = sa.text("status = 'waiting'")


def upgrade() -> None:
    op.add_column("contact", sa.Column("phone", sa.String(), nullable=True))
    _bookings()
    _waiting_list()
    op.create_table(
        "clinic_calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar", sa.JSON(), nullable=True),
        sa.Column("busy_url", sa.String(), nullable=False),
        sa.Column("busy", sa.JSON(), nullable=False),
        sa.Column("busy_at", UTC, nullable=True),
        sa.Column("busy_tried_at", UTC, nullable=True),
        sa.Column("busy_error", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_clinic_calendar_only_one")),
        sa.PrimaryKeyConstraint("id", name="pk_clinic_calendar"),
    )
    op.create_table(
        "special_day",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_special_day"),
    )
    op.create_table(
        "calendar_feed",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_calendar_feed"),
        sa.UniqueConstraint("key_hash", name="uq_calendar_feed_key_hash"),
    )
    _nudges()


def _bookings() -> None:
    op.create_table(
        "booking",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=True),
        sa.Column("starts_at", UTC, nullable=False),
        sa.Column("ends_at", UTC, nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("held_until", UTC, nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("due", sa.String(), nullable=True),
        sa.Column("due_at", UTC, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("changed_at", UTC, nullable=False),
        sa.CheckConstraint(
            "status IN ('held', 'requested', 'confirmed', 'cancelled', 'declined', 'lapsed', 'no_show')",
            name=op.f("ck_booking_status_known"),
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_booking_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_booking"),
        sqlite_autoincrement=True,
    )
    for name, columns, unique, where in (
        ("uq_booking_starts_at_seat", ["starts_at", "seat"], True, OPEN),
        ("ix_booking_contact_id", ["contact_id"], False, None),
        ("ix_booking_starts_at", ["starts_at"], False, None),
        ("ix_booking_due", ["due_at", "id"], False, DUE),
    ):
        op.create_index(name, "booking", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _waiting_list() -> None:
    op.create_table(
        "waiting",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("since", UTC, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.CheckConstraint("status IN ('waiting', 'left')", name=op.f("ck_waiting_status_known")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_waiting_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_waiting"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_waiting_contact_id",
        "waiting",
        ["contact_id"],
        unique=True,
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def _nudges() -> None:
    op.create_table(
        "nudge",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("shown_at", UTC, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("settled_at", UTC, nullable=True),
        sa.CheckConstraint(
            "outcome IN ('shown', 'dismissed', 'opened', 'booked')", name=op.f("ck_nudge_outcome_known")
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_nudge_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_nudge"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_nudge_contact_id", "nudge", ["contact_id"], unique=False)


def downgrade() -> None:
    """Appointments are lost."""
    for table in ("nudge", "calendar_feed", "special_day", "clinic_calendar", "waiting", "booking"):
        op.drop_table(table)
    op.drop_column("contact", "phone")

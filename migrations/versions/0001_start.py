"""Contacts, inbox, outbox, screenings, sessions, alerts and the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

REFUSED = (("screening", "UPDATE"), ("audit", "UPDATE"), ("audit", "DELETE"))
"""What a table must never suffer: a screening is never updated, the audit is append-only."""


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("contact_id", NUMBER, nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("reachable", sa.Boolean(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("consents", sa.JSON(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("seen_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
        sa.UniqueConstraint("channel", "user_id", name="uq_contact_channel_user_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_seen_at", "contact", ["seen_at"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("opened_at", UTC, nullable=False),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("acknowledged_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_alert_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("dedupe_key", name="uq_alert_dedupe_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_contact_id", "alert", ["contact_id"], unique=False)
    op.create_index(
        "ix_alert_open",
        "alert",
        ["opened_at"],
        unique=False,
        sqlite_where=sa.text("acknowledged_at IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("contact_id", NUMBER, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("event", sa.JSON(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("occurred_at", UTC, nullable=False),
        sa.Column("accepted_at", UTC, nullable=False),
        sa.Column("reply_token", sa.String(), nullable=True),
        sa.Column("reply_expires_at", UTC, nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("not_before", UTC, nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("done_at", UTC, nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'done', 'withdrawn', 'failed')", name=op.f("ck_inbox_status_known")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_inbox_contact_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("source", "event_id", name="uq_inbox_source_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_contact_id_message_id", "inbox", ["contact_id", "message_id"], unique=False)
    op.create_index(
        "ix_inbox_line",
        "inbox",
        ["contact_id", "occurred_at", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "ix_inbox_next",
        "inbox",
        ["occurred_at", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("not_before", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubt", sa.Integer(), nullable=False),
        sa.Column("lease_until", UTC, nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("request_at", UTC, nullable=True),
        sa.Column("reply_token", sa.String(), nullable=True),
        sa.Column("reply_expires_at", UTC, nullable=True),
        sa.Column("provider_ids", sa.JSON(), nullable=False),
        sa.Column("billed", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("done_at", UTC, nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'held', 'sending', 'sent', 'uncertain', 'skipped', 'cancelled', 'failed')",
            name=op.f("ck_outbox_status_known"),
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_outbox_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("dedupe_key", name="uq_outbox_dedupe_key"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_ahead",
        "outbox",
        ["contact_id", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('waiting', 'sending')"),
        postgresql_where=sa.text("status IN ('waiting', 'sending')"),
    )
    op.create_index("ix_outbox_contact_id", "outbox", ["contact_id"], unique=False)
    op.create_index(
        "ix_outbox_ready",
        "outbox",
        ["priority", "not_before", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('waiting', 'held')"),
        postgresql_where=sa.text("status IN ('waiting', 'held')"),
    )
    op.create_table(
        "screening",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("content_version", sa.String(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("finished_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_screening_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_screening"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_screening_contact_id", "screening", ["contact_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contact_id", NUMBER, nullable=False),
        sa.Column("routine", sa.String(), nullable=True),
        sa.Column("started_at", UTC, nullable=True),
        sa.Column("pain_before", sa.Integer(), nullable=True),
        sa.Column("finished_at", UTC, nullable=True),
        sa.Column("report", sa.String(), nullable=True),
        sa.Column("pain_after", sa.Integer(), nullable=True),
        sa.CheckConstraint("pain_after BETWEEN 0 AND 10", name=op.f("ck_session_pain_after_scale")),
        sa.CheckConstraint("pain_before BETWEEN 0 AND 10", name=op.f("ck_session_pain_before_scale")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_session_contact_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_contact_id", "session", ["contact_id"], unique=False)
    for table, action in REFUSED:
        _refuse(table, action)


def downgrade() -> None:
    op.drop_index("ix_session_contact_id", table_name="session")
    op.drop_table("session")
    op.drop_index("ix_screening_contact_id", table_name="screening")
    op.drop_table("screening")
    op.drop_index(
        "ix_outbox_ready",
        table_name="outbox",
        sqlite_where=sa.text("status IN ('waiting', 'held')"),
        postgresql_where=sa.text("status IN ('waiting', 'held')"),
    )
    op.drop_index("ix_outbox_contact_id", table_name="outbox")
    op.drop_index(
        "ix_outbox_ahead",
        table_name="outbox",
        sqlite_where=sa.text("status IN ('waiting', 'sending')"),
        postgresql_where=sa.text("status IN ('waiting', 'sending')"),
    )
    op.drop_table("outbox")
    op.drop_index(
        "ix_inbox_next",
        table_name="inbox",
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.drop_index(
        "ix_inbox_line",
        table_name="inbox",
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.drop_index("ix_inbox_contact_id_message_id", table_name="inbox")
    op.drop_table("inbox")
    op.drop_index(
        "ix_alert_open",
        table_name="alert",
        sqlite_where=sa.text("acknowledged_at IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )
    op.drop_index("ix_alert_contact_id", table_name="alert")
    op.drop_table("alert")
    op.drop_index("ix_contact_seen_at", table_name="contact")
    op.drop_table("contact")
    op.drop_index("ix_audit_at", table_name="audit")
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _refuse(table: str, action: str) -> None:
    name = f"{table}_refuses_{action.lower()}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} refuses {action}'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% refuses %', TG_TABLE_NAME, TG_OP; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")

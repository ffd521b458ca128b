"""The tables. What the program promises about them stands here as constraints, indexes and triggers."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    and_,
    literal_column,
    or_,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Utc(TypeDecorator[datetime]):
    """An aware moment in UTC, on databases with and without time zones alike."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive times. SQLite keeps the UTC digits only."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, _: Dialect) -> datetime | None:
        """Always UTC, whatever zone the database session shows."""
        if value is None:
            return None
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


Number = BigInteger().with_variant(Integer, "sqlite")
Json = JSON(none_as_null=True)
"""Text that bot.store.codec writes and reads."""


class InboxStatus(StrEnum):
    """withdrawn: taken back by the sender before it was answered. failed: three tries raised, staff was alerted."""

    WAITING = "waiting"
    DONE = "done"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


class OutboxStatus(StrEnum):
    """waiting: to be sent. held: cannot be sent for now and stands in nobody's way. sending: leased by a worker.
    The rest are final; skipped means past its useful life, uncertain that it may or may not have arrived."""

    WAITING = "waiting"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ReminderStatus(StrEnum):
    """held: until a screening is clear again. ended: for good; a new row follows if the patient begins again."""

    ACTIVE = "active"
    HELD = "held"
    ENDED = "ended"


class BookingStatus(StrEnum):
    """held: kept for somebody on the waiting list until `held_until`; lapsed: not taken in time. requested: staff have
    not confirmed it yet. The first three have their seat."""

    HELD = "held"
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    LAPSED = "lapsed"
    NO_SHOW = "no_show"


class WaitingStatus(StrEnum):
    """Somebody on the waiting list. left: by their own wish, or because they have an appointment now."""

    WAITING = "waiting"
    LEFT = "left"


class NudgeOutcome(StrEnum):
    """What came of pointing out the assessment. opened: the free times were looked at."""

    SHOWN = "shown"
    DISMISSED = "dismissed"
    OPENED = "opened"
    BOOKED = "booked"


class BroadcastStatus(StrEnum):
    """What follows what: bot.broadcasts.moves. scheduled, sending: the worker looks after it. done, cancelled: final."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


INBOX_WAITING = text("status = 'waiting'")
OUTBOX_READY = text("status IN ('waiting', 'held') AND batch_key IS NULL")
OUTBOX_BATCHES = text("status IN ('waiting', 'held') AND batch_key IS NOT NULL")
OUTBOX_AHEAD = text("status IN ('waiting', 'sending')")
OUTBOX_PUSHED = text("kind IS NOT NULL")
OUTBOX_RIDING = text("carrier_id IS NOT NULL")
OUTBOX_TOLD = text("billed > 0 OR status = 'skipped'")
"""Conditions of the partial indexes. A query uses such an index only if it says the same in the same words, with
constants in the place of parameters: see `waiting`, `ready`, `batched`, `ahead`."""
CONTACT_UNNAMED = text("name IS NULL")
REMINDER_ACTIVE = text("status = 'active'")
BOOKING_OPEN = text("status IN ('held', 'requested', 'confirmed')")
BOOKING_DUE = text("due_at IS NOT NULL")
WAITING_ON = text("status = 'waiting'")
CALL_DUE = text("call_at IS NOT NULL")
OF_A_BROADCAST = text("broadcast_id IS NOT NULL")


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Base(DeclarativeBase):
    """Every table's ids are never used twice (SQLite would, without AUTOINCREMENT): ids stand in dedupe keys."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Utc, int: Integer}  # noqa: RUF012


AUTOINCREMENT = {"sqlite_autoincrement": True}


class Contact(Base):
    """A person (or group) at one address of one channel. `consents` repeats the state's, for queries. `seen_at` is the
    last thing they did. `is_test` contacts get messages while SEND_GATE=test. `name` is what they are called, `phone` the
    number they gave. `name_asked_at`: when the channel was last asked for the name. Until `taken_until` one of the staff,
    `taken_by`, talks with them."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("channel", "user_id"),
        Index("ix_contact_unnamed", "name_asked_at", sqlite_where=CONTACT_UNNAMED, postgresql_where=CONTACT_UNNAMED),
        Index("ix_contact_taken_until", "taken_until"),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    channel: Mapped[str]
    user_id: Mapped[str]
    locale: Mapped[str] = mapped_column(default="ja")
    reachable: Mapped[bool] = mapped_column(default=True)
    is_test: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str | None]
    name_asked_at: Mapped[datetime | None]
    phone: Mapped[str | None]
    taken_by: Mapped[str | None]
    taken_until: Mapped[datetime | None]
    consents: Mapped[str] = mapped_column(Json, default="{}")
    state: Mapped[str | None] = mapped_column(Json)
    version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class Inbox(Base):
    """One event. `contact_id` and `event` are null once the contact was erased: what is left keeps a redelivery out.
    `message_id` is the channel's id of the text said or taken back. `not_before` delays a new try after an error."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        _one_of("status", InboxStatus),
        Index("ix_inbox_next", "occurred_at", "id", sqlite_where=INBOX_WAITING, postgresql_where=INBOX_WAITING),
        Index(
            "ix_inbox_line",
            "contact_id",
            "occurred_at",
            "id",
            sqlite_where=INBOX_WAITING,
            postgresql_where=INBOX_WAITING,
        ),
        Index("ix_inbox_contact_id_message_id", "contact_id", "message_id"),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    source: Mapped[str]
    event_id: Mapped[str]
    contact_id: Mapped[int | None] = mapped_column(Number, ForeignKey("contact.id", ondelete="SET NULL"))
    kind: Mapped[str]
    event: Mapped[str | None] = mapped_column(Json)
    message_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    accepted_at: Mapped[datetime]
    reply_token: Mapped[str | None]
    reply_expires_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default=InboxStatus.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    error: Mapped[str] = mapped_column(default="")
    done_at: Mapped[datetime | None]


class Outbox(Base):
    """One message to one address. `contact_id` is null when the contact was erased and only the farewell is left;
    `message` and `user_id` are emptied once they are of no more use. `priority` is Priority.rank. `doubt` counts
    attempts that may have arrived. `request_id` is the provider's retry key, in use since `request_at`. Rows with the
    same `batch_key` say the same and may leave in one call. `kind` (messages.Pushed) is set on what nobody asked for: that is
    what a day has room for only so often. Nothing of the same contact leaves along with an `alone` one. From `ride_from` on it may
    leave along with another; `carrier_id` is the message that it leaves, or left, along with. Those with a `broadcast_id` leave
    while that is sending."""

    __tablename__ = "outbox"
    __table_args__ = (
        _one_of("status", OutboxStatus),
        Index(
            "ix_outbox_ready",
            "priority",
            "not_before",
            "id",
            sqlite_where=OUTBOX_READY,
            postgresql_where=OUTBOX_READY,
        ),
        Index(
            "ix_outbox_batches",
            "not_before",
            "id",
            sqlite_where=OUTBOX_BATCHES,
            postgresql_where=OUTBOX_BATCHES,
        ),
        Index("ix_outbox_ahead", "contact_id", "id", sqlite_where=OUTBOX_AHEAD, postgresql_where=OUTBOX_AHEAD),
        Index("ix_outbox_contact_id", "contact_id"),
        Index(
            "ix_outbox_pushed", "contact_id", "request_at", sqlite_where=OUTBOX_PUSHED, postgresql_where=OUTBOX_PUSHED
        ),
        Index("ix_outbox_told", "done_at", sqlite_where=OUTBOX_TOLD, postgresql_where=OUTBOX_TOLD),
        Index("ix_outbox_carrier_id", "carrier_id", sqlite_where=OUTBOX_RIDING, postgresql_where=OUTBOX_RIDING),
        Index(
            "ix_outbox_broadcast",
            "broadcast_id",
            "status",
            "id",
            sqlite_where=OF_A_BROADCAST,
            postgresql_where=OF_A_BROADCAST,
        ),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"))
    channel: Mapped[str]
    user_id: Mapped[str]
    message: Mapped[str | None] = mapped_column(Json)
    cause: Mapped[str]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    priority: Mapped[int]
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default=OutboxStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    doubt: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    request_id: Mapped[str | None]
    request_at: Mapped[datetime | None]
    reply_token: Mapped[str | None]
    reply_expires_at: Mapped[datetime | None]
    provider_ids: Mapped[str] = mapped_column(Json, default="[]")
    billed: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    batch_key: Mapped[str | None]
    kind: Mapped[str | None]
    alone: Mapped[bool] = mapped_column(default=False)
    ride_from: Mapped[datetime | None]
    carrier_id: Mapped[int | None] = mapped_column(Number)
    broadcast_id: Mapped[int | None] = mapped_column(Number)


class Reminder(Base):
    """What a patient is reminded of, and when next. `rule` is local time, weekdays and zone."""

    __tablename__ = "reminder"
    __table_args__ = (
        _one_of("status", ReminderStatus),
        Index(
            "uq_reminder_contact_id_kind",
            "contact_id",
            "kind",
            unique=True,
            sqlite_where=REMINDER_ACTIVE,
            postgresql_where=REMINDER_ACTIVE,
        ),
        Index("ix_reminder_due", "next_at", "id", sqlite_where=REMINDER_ACTIVE, postgresql_where=REMINDER_ACTIVE),
        Index("ix_reminder_contact_id", "contact_id"),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"))
    kind: Mapped[str]
    rule: Mapped[str] = mapped_column(Json)
    next_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default=ReminderStatus.ACTIVE)


class Screening(Base):
    """A screening's result and what it rests on. Never updated (a trigger refuses)."""

    __tablename__ = "screening"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    content_version: Mapped[str]
    answers: Mapped[str] = mapped_column(Json)
    outcome: Mapped[str]
    flags: Mapped[str] = mapped_column(Json)
    finished_at: Mapped[datetime]


class Asked(Base):
    """A question of the screening (its node) was asked: first, and last, in the conversation's turn `turn`. What was asked
    before this table was made does not stand here."""

    __tablename__ = "asked"

    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    turn: Mapped[int]
    first_at: Mapped[datetime]
    asked_at: Mapped[datetime]


class Session(Base):
    """A routine begun. `routine` and `started_at` are null when a report came with no routine open before it. `note` is
    what the patient wrote about it; it goes when the texts of the chat go, or when it is taken back."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("pain_before BETWEEN 0 AND 10", name="pain_before_scale"),
        CheckConstraint("pain_after BETWEEN 0 AND 10", name="pain_after_scale"),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    routine: Mapped[str | None]
    started_at: Mapped[datetime | None]
    pain_before: Mapped[int | None]
    finished_at: Mapped[datetime | None]
    report: Mapped[str | None]
    pain_after: Mapped[int | None]
    note: Mapped[str | None]
    note_message_id: Mapped[str | None]


class Measure(Base):
    """A check-up that was answered: `kind` is its id (peg, change, factors), `answers` as given."""

    __tablename__ = "measure"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    answers: Mapped[str] = mapped_column(Json)
    at: Mapped[datetime]


class Booking(Base):
    """An appointment for an assessment. No two have the same seat at the same time while they stand. `contact_id` is
    null for one that staff took by phone for somebody named in `label`. `wish` is in the patient's words, `shared`: the
    therapist may see the screening and the progress. `due` is what the patient is told next, at `due_at`. `revision`
    counts changes, for calendars."""

    __tablename__ = "booking"
    __table_args__ = (
        _one_of("status", BookingStatus),
        Index(
            "uq_booking_starts_at_seat",
            "starts_at",
            "seat",
            unique=True,
            sqlite_where=BOOKING_OPEN,
            postgresql_where=BOOKING_OPEN,
        ),
        Index("ix_booking_contact_id", "contact_id"),
        Index("ix_booking_starts_at", "starts_at"),
        Index("ix_booking_due", "due_at", "id", sqlite_where=BOOKING_DUE, postgresql_where=BOOKING_DUE),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    seat: Mapped[int]
    status: Mapped[str]
    held_until: Mapped[datetime | None]
    label: Mapped[str] = mapped_column(default="")
    wish: Mapped[str] = mapped_column(default="")
    shared: Mapped[bool] = mapped_column(default=False)
    due: Mapped[str | None]
    due_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Waiting(Base):
    """Somebody who wants the next time that becomes free, in the order of `since`."""

    __tablename__ = "waiting"
    __table_args__ = (
        _one_of("status", WaitingStatus),
        Index("uq_waiting_contact_id", "contact_id", unique=True, sqlite_where=WAITING_ON, postgresql_where=WAITING_ON),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"))
    since: Mapped[datetime]
    status: Mapped[str] = mapped_column(default=WaitingStatus.WAITING)


class ClinicCalendar(Base):
    """The one row of what staff set in place of clinic.toml's calendar. `busy_url` is the clinic's other calendar
    (iCalendar), `busy` what it said at `busy_at`; `busy_error` why the last reading failed, "" when it did not."""

    __tablename__ = "clinic_calendar"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar: Mapped[str | None] = mapped_column(Json)
    busy_url: Mapped[str] = mapped_column(default="")
    busy: Mapped[str] = mapped_column(Json, default="[]")
    busy_at: Mapped[datetime | None]
    busy_tried_at: Mapped[datetime | None]
    busy_error: Mapped[str] = mapped_column(default="")


class SpecialDay(Base):
    """A local day (YYYY-MM-DD) that is not as its weekday says. `hours` are local pairs HH:MM; none: closed."""

    __tablename__ = "special_day"

    day: Mapped[str] = mapped_column(primary_key=True)
    hours: Mapped[str] = mapped_column(Json, default="[]")
    note: Mapped[str] = mapped_column(default="")


class CalendarFeed(Base):
    """A secret address under which somebody of the staff reads the appointments into their own calendar."""

    __tablename__ = "calendar_feed"

    owner: Mapped[str] = mapped_column(primary_key=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Nudge(Base):
    """The assessment was pointed out, by which rule, and what came of it."""

    __tablename__ = "nudge"
    __table_args__ = (_one_of("outcome", NudgeOutcome), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    rule: Mapped[str]
    shown_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(default=NudgeOutcome.SHOWN)
    settled_at: Mapped[datetime | None]


class Alert(Base):
    """Staff must look. `urgency` is a Disposition or one of bot.alerts' own words; `flags` are ids, never words of the
    patient. `dedupe_key` keeps one cause from ringing twice."""

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "ix_alert_open",
            "opened_at",
            sqlite_where=text("acknowledged_at IS NULL"),
            postgresql_where=text("acknowledged_at IS NULL"),
        ),
        Index("ix_alert_call", "call_at", "id", sqlite_where=CALL_DUE, postgresql_where=CALL_DUE),
        Index(
            "ix_alert_unresolved",
            "opened_at",
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
        AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    urgency: Mapped[str]
    flags: Mapped[str] = mapped_column(Json)
    origin: Mapped[str]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    opened_at: Mapped[datetime]
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    called_by: Mapped[str | None]
    called_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    note: Mapped[str | None]
    calls: Mapped[int] = mapped_column(default=0)
    call_at: Mapped[datetime | None]


class Note(Base):
    """What staff keep in mind about a patient. Never changed; a newer one says what is true now."""

    __tablename__ = "note"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    author: Mapped[str]
    text: Mapped[str]
    written_at: Mapped[datetime]


class Staff(Base):
    """Somebody of the clinic who signs in. `name` is normalised. `totp_used` is the 30 seconds of the last code used."""

    __tablename__ = "staff"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    locale: Mapped[str] = mapped_column(default="ja")
    password_hash: Mapped[str]
    must_change: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[str | None]
    totp_used: Mapped[int | None] = mapped_column(Number)
    slack_member: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class StaffSession(Base):
    """A browser in which one of the staff is signed in. The key itself is in that browser only."""

    __tablename__ = "staff_session"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    staff_id: Mapped[int] = mapped_column(Number, ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    begun_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Tried(Base):
    """How often something was tried until `ends_at`: sign-ins from an address, at an account."""

    __tablename__ = "tried"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)


class ApiToken(Base):
    """What a program shows to act for one of the staff. The token itself is with that program only. `scopes` are Actions.
    `used_at` is exact to a minute."""

    __tablename__ = "api_token"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    staff_id: Mapped[int] = mapped_column(Number, ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str] = mapped_column(Json)
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class OwnChat(Base):
    """A chat of somebody of the staff themselves: tests go there."""

    __tablename__ = "own_chat"

    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(Number, ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    linked_at: Mapped[datetime]


class Gate(Base):
    """The send gate as staff switched it, in one row; none: nobody has, and the setting SEND_GATE holds."""

    __tablename__ = "gate"
    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("value IN ('off', 'test', 'on')", name="value_known"),
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    value: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class Broadcast(Base):
    """One message to many. `message` is it in each language, `audience` whom it is for. Contacts up to `cursor` (of those
    up to `upper_id`) were looked at: `put` of them got an outbox row, `skipped` counts the others by reason. `expected` is
    the number that the starter typed. `personal`: everybody's links are their own. `reason`: why it was paused."""

    __tablename__ = "broadcast"
    __table_args__ = (_one_of("status", BroadcastStatus), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    title: Mapped[str]
    message: Mapped[str] = mapped_column(Json)
    audience: Mapped[str] = mapped_column(Json)
    status: Mapped[str] = mapped_column(default=BroadcastStatus.DRAFT, index=True)
    cursor: Mapped[int] = mapped_column(Number, default=0)
    upper_id: Mapped[int | None] = mapped_column(Number)
    put: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[str] = mapped_column(Json, default="{}")
    expected: Mapped[int | None]
    personal: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(default="")
    written_by: Mapped[str]
    created_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    start_at: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Tap(Base):
    """How often somebody tapped one button of a broadcast. Without a contact: those who cannot be told apart, and those
    erased since."""

    __tablename__ = "tap"
    __table_args__ = (UniqueConstraint("broadcast_id", "button", "contact_id"), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(Number, ForeignKey("broadcast.id"))
    button: Mapped[int]
    contact_id: Mapped[int | None] = mapped_column(Number, ForeignKey("contact.id", ondelete="SET NULL"), index=True)
    times: Mapped[int]
    first_at: Mapped[datetime]


class Tag(Base):
    """A word that staff put on a contact."""

    __tablename__ = "tag"
    __table_args__ = (UniqueConstraint("contact_id", "name"), AUTOINCREMENT)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    contact_id: Mapped[int] = mapped_column(Number, ForeignKey("contact.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(index=True)


class SlackWorkspace(Base):
    """A workspace that has, or had, the app. `token` is null when it is served by the setting SLACK_BOT_TOKEN, and once it
    sent the app away, at `gone_at`. The rest is what Slack told at the installation."""

    __tablename__ = "slack_workspace"

    team: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    token: Mapped[str | None]
    app: Mapped[str] = mapped_column(default="")
    bot: Mapped[str] = mapped_column(default="")
    bot_user: Mapped[str] = mapped_column(default="")
    scopes: Mapped[str] = mapped_column(default="")
    installed_by: Mapped[str] = mapped_column(default="")
    installed_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


class SlackState(Base):
    """An installation that was begun: the hash of the state that Slack is to bring back, once."""

    __tablename__ = "slack_state"

    hash: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Audit(Base):
    """Who did what. Append-only (triggers refuse the rest). `contact_id` is a bare number: the row outlives an erased
    contact, and then points at nobody."""

    __tablename__ = "audit"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    contact_id: Mapped[int | None] = mapped_column(Number)
    detail: Mapped[str] = mapped_column(Json, default="{}")


def _table(mapped: type[Base]) -> Table:
    assert isinstance(mapped.__table__, Table)
    return mapped.__table__


CONTACT = _table(Contact)
INBOX = _table(Inbox)
OUTBOX = _table(Outbox)
REMINDER = _table(Reminder)
GATE = _table(Gate)
BROADCAST = _table(Broadcast)
BOOKING = _table(Booking)
API_TOKEN = _table(ApiToken)
"""For statements on the hot path, which are made once: SQLAlchemy spends more on making than on running them."""


def waiting(inbox: FromClause = INBOX) -> ColumnElement[bool]:
    """Events not handled yet."""
    return inbox.c.status == literal_column("'waiting'")


def ready(outbox: FromClause = OUTBOX) -> ColumnElement[bool]:
    """Messages that nobody is sending, that are not settled and that leave alone."""
    return and_(unsettled(outbox), outbox.c.batch_key.is_(None), outbox.c.carrier_id.is_(None))


def batched(outbox: FromClause = OUTBOX) -> ColumnElement[bool]:
    """The same of messages that may leave together with others."""
    return and_(unsettled(outbox), outbox.c.batch_key.is_not(None), outbox.c.carrier_id.is_(None))


def unsettled(outbox: FromClause = OUTBOX) -> ColumnElement[bool]:
    """Messages that nobody is sending and that are not settled."""
    return outbox.c.status.in_((literal_column("'waiting'"), literal_column("'held'")))


def told(outbox: FromClause = OUTBOX) -> ColumnElement[bool]:
    """Messages that were billed, and those left out."""
    return or_(outbox.c.billed > literal_column("0"), outbox.c.status == literal_column("'skipped'"))


def active(reminder: FromClause = REMINDER) -> ColumnElement[bool]:
    """Reminders that come."""
    return reminder.c.status == literal_column("'active'")


def ahead(outbox: FromClause = OUTBOX) -> ColumnElement[bool]:
    """Messages that may stand in the way of a later one to the same contact."""
    return outbox.c.status.in_((literal_column("'waiting'"), literal_column("'sending'")))

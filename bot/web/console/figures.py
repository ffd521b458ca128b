"""What the first page counts. A part that cannot be read says so: it is never shown as nought."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, and_, case, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from bot import alerts
from bot.messages import Disposition, Said
from bot.runtime import Runtime
from bot.store import codec
from bot.store.session import HEAD
from bot.store.tables import (
    Alert,
    Booking,
    BookingStatus,
    Contact,
    Inbox,
    Outbox,
    OutboxStatus,
    unsettled,
    waiting,
)
from bot.web.console.people import PERSON, Person, person

log = structlog.get_logger()

ALERTS_SHOWN = 200
SLOW = timedelta(minutes=2)
"""Something due that waits for longer shows that work does not go on."""

RANKS = (Disposition.EMERGENCY, alerts.PHONE, Disposition.URGENT, alerts.BROKEN, Disposition.DOCTOR)
"""The order of alerts; those not named come last."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A part of the page: its value, or that it could not be read."""

    value: T | None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alert nobody has resolved. `quoted` is what the patient wrote, where that was the reason and staff may read."""

    id: int
    who: Person
    urgency: str
    flags: tuple[str, ...]
    origin: str
    quoted: str
    opened_at: datetime
    acknowledged_by: str | None
    called_by: str | None
    called_at: datetime | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """An assessment of today. `who` is None for somebody known by `label` only."""

    starts_at: datetime
    status: str
    label: str
    who: Person | None


@dataclass(frozen=True, slots=True)
class Sends:
    """Messages of today by how they ended, and what waits. `billed` counts those the provider charges for."""

    by_status: Mapping[str, int]
    billed: int


@dataclass(frozen=True, slots=True)
class Health:
    """`working` None: the worker is in another process. Ages are of the oldest that is due."""

    working: bool | None
    inbox: int
    inbox_age: timedelta
    outbox: int
    outbox_age: timedelta
    migrated: bool

    @property
    def well(self) -> bool:
        """Whether everything goes on as it should."""
        return self.working is not False and self.migrated and max(self.inbox_age, self.outbox_age) < SLOW


def reading(part: str, read: Callable[[], T]) -> Reading[T]:
    """The value, or that the database did not give it: the other parts of the page are shown all the same."""
    try:
        return Reading(read())
    except (SQLAlchemyError, ValueError) as error:
        log.error("console_part_unread", part=part, error=error)
        return Reading(None, failed=True)


def ringing(tx: Connection, human: bool) -> Sequence[Ringing]:
    """Unresolved alerts, the most serious and then the oldest first; or wishes for a person, the oldest first."""
    columns = (
        Alert.id,
        Alert.urgency,
        Alert.flags,
        Alert.origin,
        Alert.dedupe_key,
        Alert.opened_at,
        Alert.acknowledged_by,
        Alert.called_by,
        Alert.called_at,
        Alert.note,
    )
    kind = Alert.urgency == alerts.HUMAN if human else Alert.urgency != alerts.HUMAN
    rank = case({str(urgency): rank for rank, urgency in enumerate(RANKS)}, value=Alert.urgency, else_=len(RANKS))
    query = select(*columns, *PERSON).join(Contact, Contact.id == Alert.contact_id)
    rows = tx.execute(
        query.where(Alert.resolved_at.is_(None), kind).order_by(rank, Alert.opened_at).limit(ALERTS_SHOWN)
    )
    found = []
    for row in rows:
        who = person(row)
        quoted = _said(tx, row.dedupe_key) if row.origin == "text" and who.readable else ""
        found.append(
            Ringing(
                row.id,
                who,
                row.urgency,
                codec.strings_from(row.flags),
                row.origin,
                quoted,
                row.opened_at,
                row.acknowledged_by,
                row.called_by,
                row.called_at,
                row.note,
            )
        )
    return found


def _said(tx: Connection, key: str) -> str:
    """The text that the turn named in an alert's key answered."""
    match key.split(":"):
        case ["turn", number, *_] if number.isdigit():
            event = tx.execute(select(Inbox.event).where(Inbox.id == int(number))).scalar()
            told = codec.event_from(event) if event is not None else None
            return told.text if isinstance(told, Said) else ""
        case _:
            return ""


def visits(tx: Connection, now: datetime, zone: ZoneInfo) -> Sequence[Visit]:
    """Assessments of the local day that stand."""
    begins, ends = day(now, zone)
    shown = Booking.status.in_((BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.NO_SHOW))
    query = select(Booking.starts_at, Booking.status, Booking.label, *PERSON).join_from(
        Booking, Contact, Contact.id == Booking.contact_id, isouter=True
    )
    rows = tx.execute(
        query.where(Booking.starts_at >= begins, Booking.starts_at < ends, shown).order_by(
            Booking.starts_at, Booking.seat
        )
    )
    return [
        Visit(row.starts_at, row.status, row.label, None if row.contact_id is None else person(row)) for row in rows
    ]


def day(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when to when it is today there."""
    today = now.astimezone(zone).date()
    begins = datetime.combine(today, time(), zone)
    return begins, datetime.combine(today + timedelta(days=1), time(), zone)


def sends(tx: Connection, now: datetime, zone: ZoneInfo) -> Sends:
    """What became of messages today, and what waits now, whenever it was written."""
    begins, _ = day(now, zone)
    settled = select(Outbox.status, func.count(), func.coalesce(func.sum(Outbox.billed), 0)).where(
        Outbox.done_at >= begins
    )
    by_status: dict[str, int] = {}
    billed = 0
    for status, count, price in tx.execute(settled.group_by(Outbox.status)):
        by_status[status] = count
        billed += price
    held = select(Outbox.status, func.count().label("n")).where(or_(unsettled(), Outbox.status == OutboxStatus.SENDING))
    by_status.update((row.status, row.n) for row in tx.execute(held.group_by(Outbox.status)))
    return Sends(by_status, billed)


def health(runtime: Runtime, tx: Connection, working: Callable[[], bool] | None) -> Health:
    """How the program itself does."""
    now = runtime.now()
    events, oldest = tx.execute(select(func.count(), func.min(Inbox.accepted_at)).where(waiting())).one()
    due = and_(unsettled(), Outbox.status == OutboxStatus.WAITING, Outbox.not_before <= now)
    messages, since = tx.execute(select(func.count(), func.min(Outbox.not_before)).select_from(Outbox).where(due)).one()
    nought = timedelta()
    return Health(
        None if working is None else working(),
        events,
        nought if oldest is None else now - oldest,
        messages,
        nought if since is None else now - since,
        runtime.db.revision() == HEAD,
    )

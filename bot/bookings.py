"""Appointments as rows: read into the diary, made, moved and settled in the turn that wants it, and offered to the waiting
list. Whoever looks at the calendar to book holds its lock until the commit, so that no two take the same seat."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import structlog
from sqlalchemy import Connection, Row, String, cast, exists, func, insert, select, text, update

from bot import audit, calendars, inbox
from bot.engine import booking_plan
from bot.engine.diary import (
    Appointment,
    Book,
    BookingEffect,
    Diary,
    Free,
    JoinList,
    KeepPhone,
    LeaveList,
    LogNudge,
    MoveBooking,
    NoteBooking,
    SettleBooking,
    SettleNudge,
)
from bot.messages import BookingDecided, SlotOffered
from bot.runtime import Runtime
from bot.slots import Span, Taken, free, free_seats
from bot.store import codec
from bot.store.tables import Booking, BookingStatus, Contact, Inbox, Nudge, Waiting, WaitingStatus

log = structlog.get_logger()

LOCK = 0x626F6F6B
"""PostgreSQL's advisory lock of the calendar. SQLite has one writer at a time anyway."""

OPEN = (BookingStatus.HELD, BookingStatus.REQUESTED, BookingStatus.CONFIRMED)
STANDING = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)

PAST_DAYS = 7
"""How long an appointment that is over can still be marked as missed, and thanked for."""

SOURCE = "booking"
STAFF = "staff"
"""Where events come from: the waiting list, and staff."""


class Gone(Exception):
    """A time that the diary called free has no seat: something wrote to the calendar without its lock."""


def diary(runtime: Runtime, tx: Connection, contact_id: int, now: datetime, wanted: Span | None = None) -> Diary:
    """The calendar for one patient, locked until the transaction ends. `wanted`: a time that staff chose by hand."""
    lock(runtime, tx)
    _lapse(tx, now)
    offer(runtime, tx, now)
    stands = calendars.standing(tx, runtime.content)
    readable = stands.other.readable(now)
    everybody = taken(tx, now)
    mine = _appointments(tx, contact_id, now)
    slots = free(stands.days, everybody, now) if readable else ()
    own = {one.id for one in mine}
    others = taken(tx, now, without=own)
    phone = tx.execute(select(Contact.phone).where(Contact.id == contact_id)).scalar()
    return Diary(
        free=tuple(Free(slot.span.starts, slot.span.ends) for slot in slots),
        mine=tuple(one for one in mine if one.ends_at > now),
        past=tuple(one for one in mine if one.ends_at <= now and one.status != "held"),
        on_list=_on_list(tx, contact_id),
        readable=readable,
        change_hours=stands.days.calendar.change_hours,
        has_phone=phone is not None,
        wanted=wanted is not None and bool(free_seats(replace(stands.days, busy=()), others, wanted)),
    )


def lock(runtime: Runtime, tx: Connection) -> None:
    """Nobody else books until this transaction ends."""
    if not runtime.db.is_sqlite:
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def taken(tx: Connection, now: datetime, without: set[int] | frozenset[int] = frozenset()) -> tuple[Taken, ...]:
    """Every seat that somebody has from now on."""
    query = select(Booking.id, Booking.starts_at, Booking.ends_at, Booking.seat)
    rows = tx.execute(query.where(Booking.status.in_(OPEN), Booking.ends_at > now - timedelta(days=1)))
    return tuple(Taken(Span(row.starts_at, row.ends_at), row.seat) for row in rows if row.id not in without)


def _appointments(tx: Connection, contact_id: int, now: datetime) -> tuple[Appointment, ...]:
    columns = (Booking.id, Booking.starts_at, Booking.ends_at, Booking.status, Booking.held_until, Booking.shared)
    lately = Booking.ends_at > now - timedelta(days=PAST_DAYS)
    mine = select(*columns, Booking.wish).where(Booking.contact_id == contact_id, Booking.status.in_(OPEN), lately)
    rows = tx.execute(mine.order_by(Booking.starts_at))
    return tuple(
        Appointment(r.id, r.starts_at, r.ends_at, codec.standing_from(r.status), r.held_until, r.shared, r.wish)
        for r in rows
    )


def _on_list(tx: Connection, contact_id: int) -> bool:
    return tx.execute(select(Waiting.id).where(*_waits(contact_id))).first() is not None


def _waits(contact_id: int) -> tuple[Any, ...]:
    return (Waiting.contact_id == contact_id, Waiting.status == WaitingStatus.WAITING)


# --- what a turn wants --------------------------------------------------------------------------------------------------


def apply(runtime: Runtime, tx: Connection, contact_id: int, effect: BookingEffect, now: datetime) -> None:
    """In the turn's transaction, under the lock that its diary took. Raises Gone."""
    match effect:
        case Book(starts_at, ends_at, status, by):
            booking_id = add(runtime, tx, Span(starts_at, ends_at), BookingStatus(status), now, contact_id=contact_id)
            told = {"booking": str(booking_id), "status": status, "at": starts_at.isoformat()}
            audit.note(tx, now, by, "booked", contact_id, told)
        case MoveBooking(booking, starts_at, ends_at, status, by):
            move(runtime, tx, booking, Span(starts_at, ends_at), BookingStatus(status), now)
            told = {"booking": str(booking), "status": status, "at": starts_at.isoformat()}
            audit.note(tx, now, by, "booking_moved", contact_id, told)
            offer(runtime, tx, now)
        case SettleBooking(booking, status, by):
            settle(runtime, tx, booking, BookingStatus(status), now)
            audit.note(tx, now, by, f"booking_{status}", contact_id, {"booking": str(booking)})
            offer(runtime, tx, now)
        case NoteBooking(booking, wish, shared):
            values = {**({} if wish is None else {"wish": wish}), **({} if shared is None else {"shared": shared})}
            mine = update(Booking).where(Booking.id == booking, Booking.contact_id == contact_id)
            tx.execute(mine.values(**values, changed_at=now))
        case KeepPhone(number):
            tx.execute(update(Contact).where(Contact.id == contact_id).values(phone=number))
        case JoinList():
            if not _on_list(tx, contact_id):
                tx.execute(insert(Waiting), {"contact_id": contact_id, "since": now})
        case LeaveList():
            tx.execute(update(Waiting).where(*_waits(contact_id)).values(status=WaitingStatus.LEFT))
        case LogNudge(rule):
            tx.execute(insert(Nudge), {"contact_id": contact_id, "rule": rule, "shown_at": now})
        case SettleNudge(outcome):
            latest = select(func.max(Nudge.id)).where(Nudge.contact_id == contact_id).scalar_subquery()
            tx.execute(update(Nudge).where(Nudge.id == latest).values(outcome=outcome, settled_at=now))
        case _:
            assert_never(effect)


def end_sharing(tx: Connection, contact_id: int, now: datetime) -> None:
    """No appointment of theirs shows the screening and the progress any more."""
    mine = update(Booking).where(Booking.contact_id == contact_id, Booking.shared.is_(True))
    tx.execute(mine.values(shared=False, changed_at=now))


def add(
    runtime: Runtime,
    tx: Connection,
    span: Span,
    status: BookingStatus,
    now: datetime,
    *,
    contact_id: int | None = None,
    label: str = "",
    held_until: datetime | None = None,
) -> int:
    """A new appointment at the first seat that is free then. Its id. Raises Gone when there is none."""
    row = {
        "contact_id": contact_id,
        "starts_at": span.starts,
        "ends_at": span.ends,
        "seat": _seat(runtime, tx, span, now),
        "status": status,
        "held_until": held_until,
        "label": label,
        "created_at": now,
        "changed_at": now,
        **_due(runtime, contact_id, span, status, now),
    }
    booking_id: int = tx.execute(insert(Booking).returning(Booking.id), row).scalar_one()
    return booking_id


def move(runtime: Runtime, tx: Connection, booking: int, span: Span, status: BookingStatus, now: datetime) -> None:
    """To another time. Raises Gone when no seat is free then."""
    contact_id = tx.execute(select(Booking.contact_id).where(Booking.id == booking)).scalar_one()
    values = {
        "starts_at": span.starts,
        "ends_at": span.ends,
        "seat": _seat(runtime, tx, span, now, frozenset((booking,))),
        "status": status,
        **_due(runtime, contact_id, span, status, now),
    }
    this = update(Booking).where(Booking.id == booking)
    tx.execute(this.values(**values, changed_at=now, revision=Booking.revision + 1))


def settle(runtime: Runtime, tx: Connection, booking: int, status: BookingStatus, now: datetime) -> None:
    """Confirmed, or over."""
    one = tx.execute(select(Booking.contact_id, Booking.starts_at, Booking.ends_at).where(Booking.id == booking)).one()
    values = _due(runtime, one.contact_id, Span(one.starts_at, one.ends_at), status, now)
    this = update(Booking).where(Booking.id == booking)
    tx.execute(this.values(status=status, held_until=None, **values, changed_at=now, revision=Booking.revision + 1))


def _seat(runtime: Runtime, tx: Connection, span: Span, now: datetime, without: frozenset[int] = frozenset()) -> int:
    days = replace(calendars.standing(tx, runtime.content).days, busy=())
    seats = free_seats(days, taken(tx, now, without), span)
    if not seats:
        raise Gone
    return seats[0]


def _due(
    runtime: Runtime, contact_id: int | None, span: Span, status: BookingStatus, now: datetime
) -> dict[str, object]:
    """What the patient is told next; nothing before it is confirmed, and nobody without an address."""
    if status is not BookingStatus.CONFIRMED or contact_id is None:
        return {"due": None, "due_at": None}
    planned = booking_plan.following(plan(runtime, span), now)
    return {"due": planned.what if planned else None, "due_at": planned.at if planned else None}


def plan(runtime: Runtime, span: Span) -> tuple[booking_plan.Planned, ...]:
    """The notices of an appointment at that time."""
    content, zone = runtime.content, calendars.zone(runtime.content)
    return booking_plan.notices(content.clinic.booking, content.reminders.quiet_hours, zone, span.starts, span.ends)


# --- the waiting list ---------------------------------------------------------------------------------------------------


def _lapse(tx: Connection, now: datetime) -> int:
    """Frees what was kept for somebody who did not answer in time."""
    held = update(Booking).where(Booking.status == BookingStatus.HELD, Booking.held_until <= now)
    return tx.execute(held.values(status=BookingStatus.LAPSED, held_until=None, changed_at=now)).rowcount


def offer(runtime: Runtime, tx: Connection, now: datetime) -> int:
    """Keeps free times for those on the waiting list, in their order, one for each, and tells them. Nobody is offered the
    same time twice. The caller has the lock. How many were offered."""
    rules = runtime.content.clinic.booking
    waits = tx.execute(_LISTED).scalars().all()
    local = now.astimezone(calendars.zone(runtime.content)).time()
    if not waits or not rules.offers_from <= local < rules.offers_until:
        return 0
    stands = calendars.standing(tx, runtime.content)
    slots = free(stands.days, taken(tx, now), now) if stands.other.readable(now) else ()
    until = now + timedelta(minutes=rules.hold_minutes)
    offers: list[inbox.Own] = []
    for contact_id in waits:
        passed = _offered_before(tx, contact_id)
        slot = next((s for s in slots if s.span.starts not in passed), None)
        if slot is None:
            continue
        held = add(runtime, tx, slot.span, BookingStatus.HELD, now, contact_id=contact_id, held_until=until)
        offers.append(inbox.Own(SOURCE, f"offer:{held}", contact_id, SlotOffered(held, until)))
        slots = free(stands.days, taken(tx, now), now)
    inbox.admit(runtime.db, tx, offers, now)
    if offers:
        runtime.wake()
    return len(offers)


_LISTED = (
    select(Waiting.contact_id)
    .join(Contact, Contact.id == Waiting.contact_id)
    .where(
        Waiting.status == WaitingStatus.WAITING,
        Contact.reachable.is_(True),
        ~exists().where(Booking.contact_id == Waiting.contact_id, Booking.status == BookingStatus.HELD),
    )
    .order_by(Waiting.since, Waiting.id)
)


def _offered_before(tx: Connection, contact_id: int) -> frozenset[datetime]:
    over = (BookingStatus.LAPSED, BookingStatus.DECLINED, BookingStatus.CANCELLED)
    query = select(Booking.starts_at).where(Booking.contact_id == contact_id, Booking.status.in_(over))
    return frozenset(tx.execute(query).scalars())


def sweep_list(runtime: Runtime, now: datetime) -> int:
    """Looks after the waiting list: what was not answered in time goes to the next person, and what has become free since is
    offered. How many offers were made."""
    with runtime.db.read() as look:
        kept = select(Booking.id).where(Booking.status == BookingStatus.HELD, Booking.held_until <= now).limit(1)
        if look.execute(kept).first() is None and not _may_offer(runtime, look, now):
            return 0
    with runtime.db.write() as tx:
        lock(runtime, tx)
        _lapse(tx, now)
        return offer(runtime, tx, now)


OUTAGE = timedelta(days=7)
"""A request that passed longer ago than that is history, and not looked at with every sweep."""

UNANSWERED = "unanswered"
"""Who declines a request that staff left unanswered: the clock."""


def decline_unanswered(runtime: Runtime, now: datetime) -> int:
    """Requests that nobody answered until the hour of the last reminder are declined, so that nobody comes to a closed door.
    How many were; each only once."""
    near = now + timedelta(minutes=runtime.content.clinic.booking.soon_minutes)
    query = select(Booking.id, Booking.contact_id).where(
        Booking.status == BookingStatus.REQUESTED,
        Booking.starts_at.between(now - OUTAGE, near),
        Booking.contact_id.is_not(None),
    )
    told = select(Inbox.id).where(Inbox.source == UNANSWERED, Inbox.event_id == cast(Booking.id, String))
    with runtime.db.read() as look:
        found = look.execute(query.where(~told.exists())).all()
    if found:
        events = [
            inbox.Own(UNANSWERED, str(one.id), one.contact_id, BookingDecided("decline", UNANSWERED, one.id))
            for one in found
        ]
        with runtime.db.write() as tx:
            inbox.admit(runtime.db, tx, events, now)
        runtime.wake()
    return len(found)


def decide(runtime: Runtime, contact_id: int, event: BookingDecided) -> str:
    """Lets in what staff decided about a patient's appointment: an event of that patient's, as everything else. Its id."""
    event_id = str(runtime.new_uuid())
    with runtime.db.write() as tx:
        inbox.admit(runtime.db, tx, [inbox.Own(STAFF, event_id, contact_id, event)], runtime.now())
    runtime.wake()
    return event_id


def _may_offer(runtime: Runtime, look: Connection, now: datetime) -> bool:
    """Whether somebody waits and something is free, looked at without the lock. Nearly always nobody waits."""
    if look.execute(_LISTED.limit(1)).first() is None:
        return False
    stands = calendars.standing(look, runtime.content)
    return bool(free(stands.days, taken(look, now), now))


def rows(tx: Connection, starts: datetime, ends: datetime) -> Sequence[Row[Any]]:
    """Appointments that meet a span and have their seat or had it (missed ones too), with their contact's name parts."""
    shown = (*STANDING, BookingStatus.HELD, BookingStatus.NO_SHOW)
    query = select(Booking.__table__, Contact.channel, Contact.phone, Contact.state)
    met = query.join(Contact, Contact.id == Booking.contact_id, isouter=True).where(
        Booking.starts_at < ends, Booking.ends_at > starts, Booking.status.in_(shown)
    )
    return tx.execute(met.order_by(Booking.starts_at, Booking.seat)).all()

"""The hours around an appointment: what falls due becomes an event of its patient's, as a reminder does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, bindparam, select, text, update

from bot import inbox
from bot.calendars import zone
from bot.engine import booking_plan
from bot.messages import BookingDue
from bot.runtime import Runtime
from bot.store.tables import Booking, BookingStatus, Contact, Utc

log = structlog.get_logger()

SOURCE = "appointment"

BATCH = 200
"""Appointments a transaction, so that nobody's turn waits long."""

_IS_DUE = (text("due_at IS NOT NULL"), Booking.due_at <= bindparam("now", type_=Utc))
_ANY_DUE = select(Booking.id).where(*_IS_DUE).limit(1)
_DUE = (
    select(Booking.id, Booking.contact_id, Booking.starts_at, Booking.ends_at, Booking.status, Booking.revision)
    .add_columns(Booking.due, Booking.due_at, Contact.reachable)
    .join(Contact, Contact.id == Booking.contact_id)
    .where(*_IS_DUE)
    .order_by(Booking.due_at, Booking.id)
    .limit(BATCH)
    .with_for_update(of=Booking.__table__, skip_locked=True)
)


def sweep(runtime: Runtime, now: datetime) -> int:
    """Makes an inbox event of every notice that is due, and moves the appointment on to its next one. One that is too late
    to be of use is only moved on. How many were due."""
    total = 0
    while True:
        with runtime.db.read() as look:  # nearly always nothing is due: nobody waits for a lock then
            if look.execute(_ANY_DUE, {"now": now}).first() is None:
                return total
        with runtime.db.write() as tx:
            rows = tx.execute(_DUE, {"now": now}).all()
            if not rows:
                return total  # another worker has them in hand
            _move_on(runtime, tx, rows, now)
        total += len(rows)
        runtime.wake()


def _move_on(runtime: Runtime, tx: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    rules, quiet = runtime.content.clinic.booking, runtime.content.reminders.quiet_hours
    events = []
    for row in rows:
        planned = booking_plan.notices(rules, quiet, zone(runtime.content), row.starts_at, row.ends_at)
        one = next((p for p in planned if p.what == row.due), None)
        then = booking_plan.following(planned, max(now, row.due_at))
        moved = {"due": then.what if then else None, "due_at": then.at if then else None}
        tx.execute(update(Booking).where(Booking.id == row.id).values(**moved))
        if one is None or now >= one.until or not row.reachable or row.status != BookingStatus.CONFIRMED:
            log.warning("appointment_notice_passed_over", booking=row.id)
            continue
        event_id = f"{row.id}:{row.revision}:{row.due}"
        due = BookingDue(row.id, one.what, row.due_at, one.until)
        events.append(inbox.Own(SOURCE, event_id, row.contact_id, due))
    inbox.admit(runtime.db, tx, events, now)

"""What happened to appointments, as staff read it: who made, confirmed, moved or cancelled which one, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, select

from bot.store import codec
from bot.store.tables import Audit, Booking, Contact
from bot.web.console.people import PERSON, Person, person

ACTIONS = (
    "booked",
    "booking_moved",
    "booking_confirmed",
    "booking_declined",
    "booking_cancelled",
    "booking_lapsed",
    "booking_no_show",
)
"""As the audit writes them down."""

DAYS = 7
"""How far back the week's page tells what changed."""

LINES = 12

READ = 500
"""Lines of the audit looked at: a busy clinic's week, a patient's years."""


@dataclass(frozen=True, slots=True)
class Change:
    """One of them. `to` is the time that it was booked for or moved to, None where nothing was said of a time. `who` is None
    for somebody who phoned, `label` then their name; `gone`: the patient had everything deleted."""

    at: datetime
    what: str
    actor: str
    booking: int
    to: datetime | None
    who: Person | None
    label: str
    gone: bool = False


def lately(look: Connection, now: datetime) -> Sequence[Change]:
    """The newest first. Of somebody who had everything deleted only the times that became free are left."""
    return _read(look, Audit.at > now - timedelta(days=DAYS))[:LINES]


def of_one(look: Connection, booking: int, contact_id: int | None, made_at: datetime) -> Sequence[Change]:
    """Everything about one appointment, the oldest first."""
    theirs = _read(look, Audit.at >= made_at, Audit.contact_id == contact_id)
    return [one for one in reversed(theirs) if one.booking == booking]


def _read(look: Connection, *which: ColumnElement[bool]) -> Sequence[Change]:
    query = select(Audit.at, Audit.actor, Audit.action, Audit.detail).where(Audit.action.in_(ACTIONS), *which)
    rows = [(row, codec.words_from(row.detail)) for row in look.execute(query.order_by(Audit.id.desc()).limit(READ))]
    ids = {int(detail["booking"]) for _, detail in rows if "booking" in detail}
    named = select(Booking.id, Booking.label, *PERSON).join_from(
        Booking, Contact, Contact.id == Booking.contact_id, isouter=True
    )
    known = {row.id: row for row in look.execute(named.where(Booking.id.in_(ids)))}
    changes = []
    for row, detail in rows:
        number = int(detail.get("booking", "0"))
        found = known.get(number)
        to = datetime.fromisoformat(detail["at"]) if "at" in detail else None
        if found is not None:
            who = None if found.contact_id is None else person(found)
            changes.append(Change(row.at, row.action, row.actor, number, to, who, found.label))
        elif row.action == "booking_cancelled" and to is not None:
            changes.append(Change(row.at, row.action, row.actor, number, to, None, "", gone=True))
    return changes

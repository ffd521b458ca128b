"""Appointments as calendars outside show them: for their patient, and for staff behind a secret address."""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from bot.content.model import Content
from bot.ics import Entry
from bot.messages import Locale
from bot.slots import Span
from bot.store.tables import Booking, BookingStatus, CalendarFeed

BACK = timedelta(days=30)
"""How far back a feed reaches."""

_STANDING = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)


def of_patient(tx: Connection, content: Content, contact_id: int, locale: Locale, now: datetime) -> Sequence[Entry]:
    """What lies before them. Nothing about their health stands in it."""
    mine = (Booking.contact_id == contact_id, Booking.status.in_(_STANDING), Booking.ends_at > now)
    rows = tx.execute(select(Booking.__table__).where(*mine).order_by(Booking.starts_at))
    clinic, words = content.clinic, content.booking
    place = ", ".join(p for p in (clinic.name.to(locale), clinic.address.to(locale) if clinic.address else "") if p)
    note = f"{words.bring.to(locale)}\n{words.event_note.to(locale)}"
    return [
        Entry(
            _uid(row.id),
            Span(row.starts_at, row.ends_at),
            f"{words.event.to(locale)} ({clinic.name.to(locale)})",
            note,
            place,
            "CONFIRMED" if row.status == BookingStatus.CONFIRMED else "TENTATIVE",
            row.revision,
            row.changed_at,
        )
        for row in rows
    ]


def of_clinic(tx: Connection, content: Content, locale: Locale, now: datetime) -> Sequence[Entry]:
    """Everything that stands. Names stand in no feed: a calendar elsewhere is not ours to guard."""
    standing = (Booking.status.in_(_STANDING), Booking.ends_at > now - BACK)
    rows = tx.execute(select(Booking.__table__).where(*standing).order_by(Booking.starts_at, Booking.seat))
    words = content.booking
    return [
        Entry(
            _uid(row.id),
            Span(row.starts_at, row.ends_at),
            f"{words.event.to(locale)} #{row.id}",
            "",
            content.clinic.name.to(locale),
            "CONFIRMED" if row.status == BookingStatus.CONFIRMED else "TENTATIVE",
            row.revision,
            row.changed_at,
        )
        for row in rows
    ]


def _uid(booking: int) -> str:
    return f"booking-{booking}@selfcare-guide"


def new_feed(tx: Connection, owner: str, now: datetime) -> str:
    """A new secret for this member of staff; the one before opens nothing any more. It is shown once and not stored."""
    key = secrets.token_urlsafe(32)
    tx.execute(delete(CalendarFeed).where(CalendarFeed.owner == owner))
    tx.execute(insert(CalendarFeed), {"owner": owner, "key_hash": _hash(key), "created_at": now})
    return key


def end_feed(tx: Connection, owner: str) -> None:
    """Their address opens nothing any more."""
    tx.execute(delete(CalendarFeed).where(CalendarFeed.owner == owner))


def has_feed(tx: Connection, owner: str) -> bool:
    """Whether an address was made for them."""
    return tx.execute(select(CalendarFeed.owner).where(CalendarFeed.owner == owner)).first() is not None


def feed_owner(tx: Connection, key: str) -> str | None:
    """Whose secret this is."""
    wanted = _hash(key)
    for owner, known in tx.execute(select(CalendarFeed.owner, CalendarFeed.key_hash)):
        if hmac.compare_digest(known, wanted):
            return str(owner)
    return None


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()

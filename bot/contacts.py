"""What becomes of a contact's row: unreachable, reachable again, forgotten."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from bot import audit, outbox
from bot.engine.state import Taken
from bot.store.tables import Booking, BookingStatus, Contact, Inbox, InboxStatus, Outbox

FAREWELL_LIFE = timedelta(hours=24)
"""How long the last message may try to leave before the address is forgotten too."""


def set_reachable(tx: Connection, contact_id: int, reachable: bool, now: datetime) -> None:
    """Nobody is reminded at an address that takes nothing."""
    tx.execute(update(Contact).where(Contact.id == contact_id).values(reachable=reachable))
    if not reachable:
        outbox.cancel_timed(tx, contact_id, now, "unreachable")


def set_taken(tx: Connection, contact_id: int, taken: Taken | None) -> None:
    """Who of the staff talks with them, for the queries of what may leave and of who waits."""
    by, until = (None, None) if taken is None else (taken.by, taken.until)
    tx.execute(update(Contact).where(Contact.id == contact_id).values(taken_by=by, taken_until=until))


def erase(tx: Connection, contact_id: int, now: datetime, actor: str, farewell: str | None = None) -> None:
    """Deletes everything that hangs on the contact. The outbox row with the dedupe key `farewell` stays, pointing at no
    contact, until it was sent. Of the inbox only event ids stay, so that a redelivery is still known. Events that came
    after the wish wait on, for a newcomer at the same address."""
    if farewell is not None:
        last = update(Outbox).where(Outbox.contact_id == contact_id, Outbox.dedupe_key == farewell)
        tx.execute(last.values(contact_id=None, expires_at=now + FAREWELL_LIFE))
    mine = Inbox.contact_id == contact_id
    settled = Inbox.status != InboxStatus.WAITING
    tx.execute(update(Inbox).where(mine, settled).values(event=None, message_id=None, reply_token=None))
    if tx.execute(select(Inbox.id).where(mine, Inbox.status == InboxStatus.WAITING).limit(1)).first() is not None:
        tx.execute(update(Inbox).where(mine, settled).values(contact_id=None))
        tx.execute(update(Inbox).where(mine).values(contact_id=_newcomer(tx, contact_id, now)))
    _give_up_appointments(tx, contact_id, now, actor)
    tx.execute(delete(Contact).where(Contact.id == contact_id))  # and by cascade all that points at it
    audit.note(tx, now, actor, "erased", contact_id, {})


def _give_up_appointments(tx: Connection, contact_id: int, now: datetime, actor: str) -> None:
    """Those to come go with the contact: a line for each, without a name, tells staff that its time is free again."""
    standing = Booking.status.in_((BookingStatus.REQUESTED, BookingStatus.CONFIRMED))
    mine = select(Booking.id, Booking.starts_at).where(
        Booking.contact_id == contact_id, standing, Booking.ends_at > now
    )
    for booking in tx.execute(mine.order_by(Booking.id)):
        told = {"booking": str(booking.id), "at": booking.starts_at.isoformat()}
        audit.note(tx, now, actor, "booking_cancelled", contact_id, told)


def _newcomer(tx: Connection, contact_id: int, now: datetime) -> int:
    """A fresh contact at the same address. Its id."""
    address = select(Contact.channel, Contact.user_id, Contact.is_test).where(Contact.id == contact_id)
    channel, user_id, is_test = tx.execute(address).one()
    tx.execute(update(Contact).where(Contact.id == contact_id).values(user_id=f"erased {contact_id}"))
    fresh = insert(Contact).values(channel=channel, user_id=user_id, is_test=is_test, created_at=now, seen_at=now)
    new_id: int = tx.execute(fresh.returning(Contact.id)).scalar_one()
    return new_id

"""What is too old to be kept goes, a little at a time."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, delete, select, update

from bot import contacts
from bot.runtime import Runtime
from bot.store.tables import Contact, Inbox, InboxStatus, Outbox, Session

log = structlog.get_logger()

BATCH = 200
"""Rows a transaction, so that nobody's turn waits long."""

MONTH = timedelta(days=30.44)


def tidy(runtime: Runtime) -> None:
    """Deletes handled events and empties settled messages past RETENTION_BODY_DAYS, and erases contacts not heard of
    for RETENTION_CONTACT_MONTHS."""
    now = runtime.now()
    old_body = now - timedelta(days=runtime.settings.retention_body_days)
    old_contact = now - runtime.settings.retention_contact_months * MONTH
    removed = {
        "events": _repeat(runtime, lambda tx: _drop_events(tx, old_body)),
        "messages": _repeat(runtime, lambda tx: _empty_messages(tx, old_body)),
        "notes": _repeat(runtime, lambda tx: _empty_notes(tx, old_body)),
        "contacts": _repeat(runtime, lambda tx: _erase_contacts(tx, old_contact, now)),
    }
    log.info("tidied", **removed)


def _repeat(runtime: Runtime, some: Callable[[Connection], int]) -> int:
    total = 0
    while True:
        with runtime.db.write() as tx:
            count = some(tx)
        total += count
        if count < BATCH:
            return total


def _drop_events(tx: Connection, before: datetime) -> int:
    """Whole rows: no provider redelivers after so long."""
    old = select(Inbox.id).where(Inbox.accepted_at < before, Inbox.status != InboxStatus.WAITING)
    ids = tx.execute(old.order_by(Inbox.id).limit(BATCH)).scalars().all()
    return tx.execute(delete(Inbox).where(Inbox.id.in_(ids))).rowcount


def _empty_messages(tx: Connection, before: datetime) -> int:
    """The record that something was sent stays with the contact."""
    old = select(Outbox.id).where(Outbox.done_at < before, Outbox.message.is_not(None))
    ids = tx.execute(old.order_by(Outbox.id).limit(BATCH)).scalars().all()
    return tx.execute(update(Outbox).where(Outbox.id.in_(ids)).values(message=None)).rowcount


def _empty_notes(tx: Connection, before: datetime) -> int:
    """A note is a text of the chat, and is kept as long as those."""
    old = select(Session.id).where(Session.finished_at < before, Session.note.is_not(None))
    ids = tx.execute(old.order_by(Session.id).limit(BATCH)).scalars().all()
    return tx.execute(update(Session).where(Session.id.in_(ids)).values(note=None)).rowcount


def _erase_contacts(tx: Connection, before: datetime, now: datetime) -> int:
    silent = select(Contact.id).where(Contact.seen_at < before).order_by(Contact.seen_at).limit(BATCH)
    ids = tx.execute(silent.with_for_update(skip_locked=True)).scalars().all()
    for contact_id in ids:
        contacts.erase(tx, contact_id, now, "program")
    return len(ids)

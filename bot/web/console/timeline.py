"""A conversation as the patient saw it: their words and taps, our messages, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.engine.state import State
from bot.messages import Message, StaffDid
from bot.store import codec
from bot.store.tables import Inbox, Outbox, OutboxStatus
from bot.web.care import data
from bot.web.care.visit import Visit

ENTRIES = 60

UNHEARD = ("staff_did", "reminder_due", "unsent", "home_opened", "introduced")
"""Kinds of events that are nothing the patient said or tapped."""

ARRIVED = frozenset((OutboxStatus.SENT, OutboxStatus.UNCERTAIN))


@dataclass(frozen=True, slots=True)
class Entry:
    """Something said. `text` is the patient's, `message` ours; both None when the words are no longer stored. `by`: who of the
    staff wrote it. `status` is an OutboxStatus for what we said."""

    at: datetime
    mine: bool
    text: str | None = None
    message: Message | None = None
    status: str = ""
    billed: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """The newest entries before some moment, oldest first. `before` leads to older ones."""

    entries: Sequence[Entry]
    before: str | None


def read(tx: Connection, visit: Visit, before: datetime | None = None, since: datetime | None = None) -> Talk:
    """`since`: nothing older is shown, whatever is stored."""
    entries = sorted((*_heard(tx, visit, before, since), *_told(tx, visit, before, since)), key=lambda one: one.at)
    shown = entries[-ENTRIES:]
    more = len(entries) > ENTRIES
    return Talk(shown, shown[0].at.isoformat() if more else None)


def last_heard(tx: Connection, contact_id: int) -> datetime | None:
    """When the patient last wrote or tapped."""
    query = select(Inbox.occurred_at).where(Inbox.contact_id == contact_id, Inbox.kind.not_in(UNHEARD))
    return tx.execute(query.order_by(Inbox.occurred_at.desc()).limit(1)).scalar()


def _heard(tx: Connection, visit: Visit, before: datetime | None, since: datetime | None) -> Sequence[Entry]:
    query = select(Inbox.occurred_at, Inbox.event).where(
        Inbox.contact_id == visit.contact_id, Inbox.kind.not_in(UNHEARD)
    )
    if before is not None:
        query = query.where(Inbox.occurred_at < before)
    if since is not None:
        query = query.where(Inbox.occurred_at >= since)
    rows = tx.execute(query.order_by(Inbox.occurred_at.desc(), Inbox.id.desc()).limit(ENTRIES + 1))
    return [
        Entry(at, True, data.event_text(visit, codec.event_from(event)) if event is not None else None)
        for at, event in rows
    ]


def _told(tx: Connection, visit: Visit, before: datetime | None, since: datetime | None) -> Sequence[Entry]:
    at = Outbox.created_at
    query = select(at, Outbox.message, Outbox.status, Outbox.billed, Outbox.cause).where(
        Outbox.contact_id == visit.contact_id
    )
    if before is not None:
        query = query.where(at < before)
    if since is not None:
        query = query.where(at >= since)
    rows = tx.execute(query.order_by(at.desc(), Outbox.id.desc()).limit(ENTRIES + 1)).all()
    authors = _authors(tx, [row.cause for row in rows])
    return [
        Entry(
            row.created_at,
            False,
            message=codec.message_from(row.message) if row.message is not None else None,
            status=row.status,
            billed=row.billed,
            by=authors.get(row.cause, ""),
        )
        for row in rows
    ]


def _authors(tx: Connection, causes: Sequence[str]) -> dict[str, str]:
    """Who of the staff stands behind a message, by its cause."""
    ids = [int(cause.removeprefix("turn:")) for cause in causes if cause.removeprefix("turn:").isdigit()]
    query = select(Inbox.id, Inbox.event).where(Inbox.id.in_(ids), Inbox.kind == "staff_did", Inbox.event.is_not(None))
    found = {}
    for inbox_id, event in tx.execute(query):
        told = codec.event_from(event or "")
        if isinstance(told, StaffDid):
            found[f"turn:{inbox_id}"] = told.by
    return found


def talking_since(tx: Connection, contact_id: int, state: State, now: datetime) -> datetime | None:
    """When the talk with staff that goes on now began: from then on its words are for staff, whatever the consents."""
    if state.taken is None or state.taken.until <= now:
        return None
    query = select(Inbox.occurred_at, Inbox.event).where(Inbox.contact_id == contact_id, Inbox.kind == "staff_did")
    began: datetime | None = None
    for at, event in tx.execute(query.order_by(Inbox.occurred_at.desc()).limit(200)):
        told = codec.event_from(event) if event is not None else None
        if not isinstance(told, StaffDid) or told.what in ("hand_back", "seen_doctor"):
            break
        began = at
    return began

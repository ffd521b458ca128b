"""What waits to be sent. Rows are written here in the transaction of whatever causes them; bot.delivery sends them."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    String,
    and_,
    bindparam,
    exists,
    insert,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)

from bot.config import SendGate
from bot.messages import Message, Priority, Pushed
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import BROADCAST, CONTACT, OUTBOX, BroadcastStatus, Outbox, OutboxStatus, Utc, ahead

TOO_LATE = "too_late"
"""The reason on a message that was skipped because its useful life had ended."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes. `contact_id` None: the contact is erased, only this last message is left."""

    contact_id: int | None
    channel: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send a message until `until`, with the retry key of its first attempt."""

    request_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class ReplyToken:
    """Good for one free reply until `expires_at`."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to be put. It is there once per `dedupe_key`. Without a priority: safety or reply, as the message says.
    Past `expires_at` it is skipped; None means it is sent however late. With a `lease` nobody else takes it: the caller
    sends it after the commit. `together`: it may leave in one call with others that say the same on the same channel. The
    rest is bot.pacing's: `kind` is what nobody asked for, nothing of the same contact leaves along with what is safety or
    `alone`, and from `ride_from` on it may itself leave along with another."""

    to: Address
    message: Message
    cause: str
    dedupe_key: str
    priority: Priority | None = None
    reply: ReplyToken | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    lease: Lease | None = None
    together: bool = False
    kind: Pushed | None = None
    alone: bool = False
    ride_from: datetime | None = None

    @property
    def rank(self) -> int:
        """Priority.rank."""
        return (self.priority or (Priority.SAFETY if self.message.safety else Priority.REPLY)).rank

    def row(self, now: datetime) -> dict[str, Any]:
        """Its columns."""
        text = codec.message_json(self.message)
        return {
            "contact_id": self.to.contact_id,
            "channel": self.to.channel,
            "user_id": self.to.user_id,
            "message": text,
            "cause": self.cause,
            "dedupe_key": self.dedupe_key,
            "priority": self.rank,
            "not_before": self.not_before or now,
            "expires_at": self.expires_at,
            "reply_token": self.reply.token if self.reply else None,
            "reply_expires_at": self.reply.expires_at if self.reply else None,
            "created_at": now,
            "batch_key": batch_key(self.to.channel, text) if self.together else None,
            "status": (OutboxStatus.SENDING if self.lease else OutboxStatus.WAITING).value,
            "attempts": 1 if self.lease else 0,
            "lease_until": self.lease.until if self.lease else None,
            "request_id": self.lease.request_id if self.lease else None,
            "request_at": now if self.lease else None,
            "kind": self.kind,
            "alone": self.alone or self.message.safety,
            "ride_from": self.ride_from,
        }


def put_all(db: Database, tx: Connection, entries: Sequence[Entry], now: datetime) -> Mapping[str, int]:
    """The ids by dedupe key of those that were not there yet."""
    if not entries:
        return {}
    rows = tx.execute(_insert_once(db), [entry.row(now) for entry in entries])
    return {row.dedupe_key: row.id for row in rows}


def put(
    db: Database,
    tx: Connection,
    to: Address,
    message: Message,
    *,
    cause: str,
    dedupe_key: str,
    now: datetime,
    priority: Priority | None = None,
    reply: ReplyToken | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    together: bool = False,
) -> int | None:
    """One message as Entry describes it: its id, or None if it is there already."""
    entry = Entry(to, message, cause, dedupe_key, priority, reply, not_before, expires_at, together=together)
    return put_all(db, tx, [entry], now).get(dedupe_key)


NEWS: Pushed = "news"
"""The kind of every broadcast's messages."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One of many messages, as codec wrote it. `batch_key`: see `batch_key`; None when it leaves alone."""

    to: Address
    message: str
    batch_key: str | None


def batch_key(channel: str, message: str) -> str:
    """The same for messages that say the same on the same channel."""
    return sha256(f"{channel}\n{message}".encode()).hexdigest()


def put_many(
    db: Database, tx: Connection, letters: Sequence[Letter], broadcast_id: int, now: datetime, expires_at: datetime
) -> None:
    """One message of the broadcast to each, once: who has it already gets no second."""
    cause = f"broadcast:{broadcast_id}"
    shared = {
        "cause": cause,
        "priority": Priority.BROADCAST.rank,
        "not_before": now,
        "expires_at": expires_at,
        "created_at": now,
        "broadcast_id": broadcast_id,
        "kind": NEWS,
        "alone": True,
    }
    rows = [
        {
            "contact_id": letter.to.contact_id,
            "channel": letter.to.channel,
            "user_id": letter.to.user_id,
            "message": letter.message,
            "dedupe_key": f"{cause}:{letter.to.contact_id}",
            "batch_key": letter.batch_key,
            **shared,
        }
        for letter in letters
    ]
    if rows:
        tx.execute(db.insert(OUTBOX).on_conflict_do_nothing(index_elements=["dedupe_key"]), rows)


def note_skipped(tx: Connection, contact_id: int, kind: Pushed, reason: str, key: str, now: datetime) -> None:
    """Something was due to the contact and is not said: kept like any message that was skipped, with its reason."""
    tx.execute(_note_skipped(), {"person": contact_id, "kind": kind, "reason": reason, "key": key, "now": now})


@cache
def _note_skipped() -> Executable:
    now = bindparam("now", type_=Utc)
    values: dict[str, ColumnElement[Any]] = {
        "contact_id": CONTACT.c.id,
        "channel": CONTACT.c.channel,
        "user_id": CONTACT.c.user_id,
        "cause": bindparam("key", type_=String),
        "dedupe_key": bindparam("key", type_=String),
        "priority": literal(Priority.TIMED.rank),
        "not_before": now,
        "created_at": now,
        "done_at": now,
        "status": literal(OutboxStatus.SKIPPED.value),
        "error": bindparam("reason", type_=String),
        "kind": bindparam("kind", type_=String),
        "attempts": literal(0),
        "doubt": literal(0),
        "billed": literal(0),
        "provider_ids": literal("[]", type_=OUTBOX.c.provider_ids.type),
        "alone": literal(False),
    }
    person = select(*values.values()).where(CONTACT.c.id == bindparam("person"))
    return insert(OUTBOX).from_select(list(values), person, include_defaults=False)


def with_open(tx: Connection, contact_ids: Sequence[int | None]) -> AbstractSet[int]:
    """Those of the contacts to whom a message is being sent or waits to be."""
    if not contact_ids:
        return frozenset()
    return {row.contact_id for row in tx.execute(_OPEN, {"contact_ids": list(contact_ids)})}


_OPEN = select(OUTBOX.c.contact_id).where(OUTBOX.c.contact_id.in_(bindparam("contact_ids", expanding=True)), ahead())


@cache
def _insert_once(db: Database) -> Executable:
    once = db.insert(OUTBOX).on_conflict_do_nothing(index_elements=["dedupe_key"])
    return once.returning(OUTBOX.c.id, OUTBOX.c.dedupe_key)


NOW = bindparam("now", type_=Utc)
"""To be given with every query that asks `may_leave`."""


def may_leave(gate: SendGate) -> ColumnElement[bool]:
    """Due, let through, not in the middle of a talk with staff, and with nothing before it: a contact's messages leave in
    their order, but a less urgent one never keeps a more urgent one waiting, nor does one that is held, or not due yet."""
    earlier = OUTBOX.alias()
    blocked = exists().where(
        earlier.c.contact_id == OUTBOX.c.contact_id,
        earlier.c.id < OUTBOX.c.id,
        earlier.c.priority <= OUTBOX.c.priority,
        ahead(earlier),
        earlier.c.carrier_id.is_(None),
        _is_let_go(earlier),
        or_(
            earlier.c.status == OutboxStatus.SENDING.value,
            and_(or_(earlier.c.not_before <= NOW, earlier.c.attempts > 0), passes(gate, earlier)),
        ),
    )
    return and_(OUTBOX.c.not_before <= NOW, _is_let_go(OUTBOX), ~blocked, passes(gate, OUTBOX), ~_while_staff_talk())


def _is_let_go(outbox: FromClause) -> ColumnElement[bool]:
    """What belongs to a broadcast leaves only while that is being sent, and stands in nobody's way otherwise."""
    sending = select(BROADCAST.c.id).where(BROADCAST.c.status == literal_column(f"'{BroadcastStatus.SENDING}'"))
    return or_(outbox.c.broadcast_id.is_(None), outbox.c.broadcast_id.in_(sending))


def _while_staff_talk() -> ColumnElement[bool]:
    """Nothing that nobody asked for comes between a patient and the person they are talking with."""
    talking = exists().where(CONTACT.c.id == OUTBOX.c.contact_id, CONTACT.c.taken_until > NOW)
    return and_(OUTBOX.c.priority >= Priority.TIMED.rank, talking)


def passes(gate: SendGate, outbox: FromClause = OUTBOX) -> ColumnElement[bool]:
    """The send gate stands before pushes. An answer with a living reply token passes: somebody is waiting for it, here.
    So does what goes to staff."""
    reply = and_(outbox.c.reply_token.is_not(None), outbox.c.reply_expires_at > NOW)
    reply = or_(reply, outbox.c.channel == literal_column("'staff'"))
    match gate:
        case "on":
            return true()
        case "test":
            return or_(reply, exists().where(CONTACT.c.id == outbox.c.contact_id, CONTACT.c.is_test))
        case "off":
            return reply


def cancel_timed(tx: Connection, contact_id: int, now: datetime, reason: str) -> int:
    """Takes back every reminder, tip and broadcast of the contact that has not left yet. How many there were."""
    waiting = (
        Outbox.contact_id == contact_id,
        Outbox.status.in_((OutboxStatus.WAITING, OutboxStatus.HELD)),
        Outbox.priority >= Priority.TIMED.rank,
    )
    return tx.execute(
        update(Outbox).where(*waiting).values(status=OutboxStatus.CANCELLED, error=reason, done_at=now)
    ).rowcount

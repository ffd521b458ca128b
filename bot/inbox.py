"""The one way in: what happened is stored before anybody is told that it arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TypedDict

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, bindparam, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from bot.channels.base import Acquainted
from bot.messages import Event, Inbound, Said, Unsent
from bot.runtime import Runtime
from bot.store import codec
from bot.store.session import Database, Prepared
from bot.store.tables import CONTACT, INBOX, InboxStatus

log = structlog.get_logger()

ACCEPTED = Counter("inbox_accepted", "Events stored, by channel", ["channel"])
REPEATED = Counter("inbox_repeated", "Events that were stored already, by channel", ["channel"])

ID_MAX = 200
"""Longest id or address taken, in characters: real ones have under 60, and an index entry has a limit."""

TRIES = 3

ACQUAINTANCE = timedelta(seconds=2)
"""How long a newcomer's first event may wait for their language and time zone, where a provider can be asked for them."""

Patience = Mapping[str, timedelta | None]
"""By channel."""


class _Row(TypedDict):
    source: str
    event_id: str
    user_id: str
    kind: str
    event: str
    message_id: str | None
    occurred_at: datetime
    accepted_at: datetime
    reply_token: str | None
    reply_expires_at: datetime | None


def accept(runtime: Runtime, inbounds: Sequence[Inbound]) -> int:
    """Stores all of it in one transaction and wakes the workers. The number of events not seen before. When this has
    returned, the events survive the end of the process."""
    now = runtime.now()
    rows = [_row(inbound, now) for inbound in inbounds if _plausible(inbound)]
    rows.sort(key=lambda row: (row["source"], row["user_id"]))  # the same order everywhere: no deadlock
    if not rows:
        return 0
    patience = {
        name: ACQUAINTANCE if isinstance(channel, Acquainted) else None for name, channel in runtime.channels.items()
    }
    new = _store(runtime.db, rows, patience)
    for row, fresh in zip(rows, new, strict=True):
        (ACCEPTED if fresh else REPEATED).labels(row["source"]).inc()
    if any(new):
        runtime.wake()
    return sum(new)


@dataclass(frozen=True, slots=True)
class Own:
    """An event of the program's own about a contact. `event_id` the same twice is the same event. `occurred_at` None: when
    it is stored."""

    source: str
    event_id: str
    contact_id: int
    event: Event
    occurred_at: datetime | None = None


def admit(db: Database, tx: Connection, events: Sequence[Own], now: datetime) -> None:
    """Stores events of the program's own in the transaction of what causes them; the caller wakes the workers."""
    rows = [
        {
            "source": own.source,
            "event_id": own.event_id,
            "contact_id": own.contact_id,
            "kind": own.event.kind,
            "event": codec.event_json(own.event),
            "occurred_at": own.occurred_at or now,
            "accepted_at": now,
            "not_before": now,
        }
        for own in events
    ]
    if rows:
        tx.execute(db.insert(INBOX).on_conflict_do_nothing(index_elements=["source", "event_id"]), rows)


def _plausible(inbound: Inbound) -> bool:
    """Whether the ids can be stored. No provider sends any that cannot; a garbled event is refused, not its request."""
    ids = (inbound.event_id, inbound.user_id)
    good = all(0 < len(text) <= ID_MAX and codec.storable(text) == text for text in ids)
    if not good:
        log.warning("inbox_implausible_ids", channel=inbound.channel)
    return good


def _row(inbound: Inbound, now: datetime) -> _Row:
    match inbound.event:
        case Said(message_id=found) | Unsent(message_id=found):
            message_id = codec.storable(found)[:ID_MAX] or None
        case _:
            message_id = None
    token = inbound.reply_token
    return {
        "source": inbound.channel,
        "event_id": inbound.event_id,
        "user_id": inbound.user_id,
        "kind": inbound.event.kind,
        "event": codec.event_json(inbound.event),
        "message_id": message_id,
        "occurred_at": inbound.occurred_at,
        "accepted_at": now,
        "reply_token": token if token and codec.storable(token) == token else None,
        "reply_expires_at": inbound.reply_expires_at,
    }


def _store(db: Database, rows: Sequence[_Row], patience: Patience) -> list[bool]:
    for _ in range(TRIES - 1):
        try:
            return _store_once(db, rows, patience)
        except IntegrityError:  # the contact was erased between finding it and pointing at it
            log.warning("inbox_contact_vanished")
    return _store_once(db, rows, patience)


def _store_once(db: Database, rows: Sequence[_Row], patience: Patience) -> list[bool]:
    if db.is_sqlite:
        return db.together(lambda tx: [_insert(db, tx, row, patience) for row in rows])
    # PostgreSQL takes many writers: a webhook never waits behind turns and settlements that share a commit.
    if len(rows) == 1 and db.at_once(_insert_for_known(db), rows[0]) is not None:
        return [True]
    with db.write() as tx:
        return [_insert(db, tx, row, patience) for row in rows]


def _insert(db: Database, tx: Connection, row: _Row, patience: Patience) -> bool:
    statement = _insert_for_known(db)
    if statement.run(tx, row) is not None:
        return True
    # Nothing was inserted: the event is not new, or its contact is.
    seen = select(INBOX.c.id).where(INBOX.c.source == row["source"], INBOX.c.event_id == row["event_id"])
    if tx.execute(seen).first() is not None:
        return False
    if row["kind"] == "unfollowed":
        return False  # a stranger: nothing is kept of somebody who never came
    newcomer = db.insert(CONTACT).on_conflict_do_nothing(index_elements=["channel", "user_id"])
    at = row["accepted_at"]
    tx.execute(newcomer, {"channel": row["source"], "user_id": row["user_id"], "created_at": at, "seen_at": at})
    inserted = statement.run(tx, row)
    wait = patience.get(row["source"])
    if inserted is not None and wait is not None:
        tx.execute(update(INBOX).where(INBOX.c.id == inserted.id).values(not_before=at + wait))
    return inserted is not None


@cache
def _insert_for_known(db: Database) -> Prepared:
    """One round trip for a known contact: the event with its contact's id, unless the event is there already."""
    columns = INBOX.c
    given = (
        columns.source,
        columns.event_id,
        columns.kind,
        columns.event,
        columns.message_id,
        columns.occurred_at,
        columns.accepted_at,
        columns.reply_token,
        columns.reply_expires_at,
    )
    found = select(
        *(bindparam(column.key, type_=column.type) for column in given),
        bindparam("accepted_at", type_=columns.accepted_at.type),
        literal_column(f"'{InboxStatus.WAITING}'"),
        literal_column("0"),
        literal_column("''"),
        CONTACT.c.id,
    ).where(
        CONTACT.c.channel == bindparam("source", type_=CONTACT.c.channel.type),
        CONTACT.c.user_id == bindparam("user_id", type_=CONTACT.c.user_id.type),
    )
    filled = (*given, columns.not_before, columns.status, columns.tries, columns.error, columns.contact_id)
    insert = db.insert(INBOX).from_select([column.key for column in filled], found, include_defaults=False)
    return db.prepare(insert.on_conflict_do_nothing(index_elements=["source", "event_id"]).returning(columns.id))

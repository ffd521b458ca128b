"""Newcomers' language and time zone, asked of the provider before their first turn and outside any transaction."""

import structlog
from sqlalchemy import exists, select, update

from bot import inbox
from bot.channels.base import Acquainted
from bot.runtime import Runtime
from bot.store.tables import CONTACT, INBOX, waiting

log = structlog.get_logger()

SOURCE = "introduction"
BATCH = 2
"""Newcomers looked up in one go: few, so that a thread stuck with a silent provider is heard of in between."""

_NEWCOMERS = (
    select(CONTACT.c.id, CONTACT.c.channel, CONTACT.c.user_id, CONTACT.c.created_at)
    .where(
        CONTACT.c.state.is_(None),
        exists().where(INBOX.c.contact_id == CONTACT.c.id, waiting(), INBOX.c.tries == 0),
        ~exists().where(INBOX.c.contact_id == CONTACT.c.id, INBOX.c.kind == "introduced"),
    )
    .order_by(CONTACT.c.id)
    .limit(BATCH)
)


def get_acquainted(runtime: Runtime) -> int:
    """Asks about everybody who waits for their first turn and stores what is known as their first event. How many were
    asked about. One who is not found, or a provider that is slow, costs the newcomer inbox.ACQUAINTANCE and no more."""
    named = [name for name, channel in runtime.channels.items() if isinstance(channel, Acquainted)]
    if not named:
        return 0
    with runtime.db.read() as look:
        people = look.execute(_NEWCOMERS.where(CONTACT.c.channel.in_(named))).all()
    for person in people:
        channel = runtime.channels[person.channel]
        assert isinstance(channel, Acquainted)
        known = channel.introduce(person.user_id)
        now = runtime.now()
        with runtime.db.write() as tx:
            still = tx.execute(select(CONTACT.c.id).where(CONTACT.c.id == person.id).with_for_update()).first()
            if still is None:
                continue  # erased meanwhile
            if known is not None:
                # before whatever they did first, by any clock
                first = select(INBOX.c.occurred_at).where(INBOX.c.contact_id == person.id)
                at = min([person.created_at, *tx.execute(first).scalars()])
                own = inbox.Own(SOURCE, f"introduced:{person.id}", person.id, known, at)
                inbox.admit(runtime.db, tx, [own], now)
            held = update(INBOX).where(INBOX.c.contact_id == person.id, waiting(), INBOX.c.tries == 0)
            tx.execute(held.values(not_before=now))
        runtime.wake()
    return len(people)

"""Whose events are handled next, and what a turn leaves in their rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, select, update

from bot import outbox
from bot.engine.state import State
from bot.messages import Event, Said
from bot.store import codec
from bot.store.tables import CONTACT, INBOX, InboxStatus, Utc, waiting


@dataclass(frozen=True, slots=True)
class Claim:
    """The oldest waiting event of one contact, whose row is locked until the transaction ends. `taken_back`: its sender
    has taken the text back meanwhile, or before it arrived."""

    inbox_id: int
    to: outbox.Address
    contact_id: int
    version: int
    state: str | None
    seen_at: datetime
    event: str
    tries: int
    reply: outbox.ReplyToken | None
    taken_back: bool

    @property
    def cause(self) -> str:
        """Unique to the turn."""
        return f"turn:{self.inbox_id}"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a turn leaves of its contact. `heard_at` is when they were last heard of. `spare`: nothing was said, for staff
    are talking with them; the reply token is left for an answer of theirs."""

    claim: Claim
    state: State
    heard_at: datetime
    spare: bool = False


class Overtaken(Exception):
    """The contact was changed under a turn by something that did not lock it."""


_other = INBOX.alias()
_CONTACTS = (
    select(CONTACT.c.id, CONTACT.c.channel, CONTACT.c.user_id, CONTACT.c.version, CONTACT.c.state, CONTACT.c.seen_at)
    .join(INBOX, INBOX.c.contact_id == CONTACT.c.id)
    .where(
        waiting(),
        ~exists().where(
            _other.c.contact_id == INBOX.c.contact_id,
            waiting(_other),
            _other.c.not_before > bindparam("now", type_=Utc),
        ),
    )
    .order_by(INBOX.c.occurred_at, INBOX.c.id)
    .limit(bindparam("most"))
    .with_for_update(of=CONTACT, key_share=True, skip_locked=True)
)
"""Those who have something waiting, and no event in a pause after an error; a contact stands here once for each event.
The rows are locked for the turns, though not against new events that point at them."""

_ANYTHING = select(INBOX.c.id).where(waiting()).limit(1)

_unsent = INBOX.alias()
_OLDEST = (
    select(
        INBOX.c.id,
        INBOX.c.contact_id,
        INBOX.c.event,
        INBOX.c.tries,
        INBOX.c.reply_token,
        INBOX.c.reply_expires_at,
        exists()
        .where(
            _unsent.c.contact_id == INBOX.c.contact_id,
            _unsent.c.message_id == INBOX.c.message_id,
            _unsent.c.kind == "unsent",
        )
        .label("taken_back"),
    )
    .where(INBOX.c.contact_id.in_(bindparam("contact_ids", expanding=True)), waiting())
    .order_by(INBOX.c.occurred_at.desc(), INBOX.c.id.desc())
)
"""The last of each contact's is its oldest."""

_SETTLE = (
    update(INBOX)
    .where(INBOX.c.id == bindparam("inbox_id"))
    .values(
        status=bindparam("ending"),
        done_at=bindparam("now", type_=Utc),
        tries=bindparam("tried"),
        reply_token=bindparam("token"),
    )
)

_SPARE = (
    select(INBOX.c.id, INBOX.c.reply_token, INBOX.c.reply_expires_at)
    .where(
        INBOX.c.contact_id == bindparam("contact_id"),
        INBOX.c.reply_token.is_not(None),
        INBOX.c.reply_expires_at > bindparam("now", type_=Utc),
        INBOX.c.status == InboxStatus.DONE.value,
    )
    .order_by(INBOX.c.id.desc())
    .limit(1)
)

_SAVE = (
    update(CONTACT)
    .where(CONTACT.c.id == bindparam("contact_id"), CONTACT.c.version == bindparam("seen"))
    .values(
        state=bindparam("state"),
        version=bindparam("next"),
        locale=bindparam("locale"),
        consents=bindparam("consents"),
        seen_at=bindparam("heard_at", type_=Utc),
    )
)


def claim(tx: Connection, now: datetime, most: int) -> Sequence[Claim]:
    """The oldest event of each of at most `most` contacts. None are left to be claimed now if there are none."""
    contacts = {row.id: row for row in tx.execute(_CONTACTS, {"now": now, "most": most})}
    if not contacts:
        return ()
    events = {row.contact_id: row for row in tx.execute(_OLDEST, {"contact_ids": list(contacts)})}
    claims = []
    for contact_id, found in contacts.items():
        event = events.get(contact_id)
        if event is None:
            continue  # PostgreSQL: another worker handled it between the look at the queue and the lock on the contact
        reply = None
        if event.reply_token is not None and event.reply_expires_at is not None:
            reply = outbox.ReplyToken(event.reply_token, event.reply_expires_at)
        claims.append(
            Claim(
                inbox_id=event.id,
                to=outbox.Address(contact_id, found.channel, found.user_id),
                contact_id=contact_id,
                version=found.version,
                state=found.state,
                seen_at=found.seen_at,
                event=event.event,
                tries=event.tries,
                reply=reply,
                taken_back=event.taken_back,
            )
        )
    return claims


def anything_waits(tx: Connection) -> bool:
    """Whether there is any event that was not handled yet."""
    return tx.execute(_ANYTHING).first() is not None


def keep(tx: Connection, kept: Sequence[Kept], now: datetime) -> None:
    """Saves what the turns left, and that their events are done. Raises Overtaken."""
    if not kept:
        return
    rows = [
        {
            "contact_id": one.claim.contact_id,
            "seen": one.claim.version,
            "next": one.claim.version + 1,
            "state": codec.state_json(one.state),
            "locale": one.state.locale,
            "consents": codec.times_json(one.state.consents),
            "heard_at": one.heard_at,
        }
        for one in kept
    ]
    if tx.execute(_SAVE, rows).rowcount != len(rows):
        raise Overtaken
    tx.execute(_SETTLE, [_ending(one.claim, InboxStatus.DONE, now, spare=one.spare) for one in kept])


def spare_until(tx: Connection, contact_id: int, now: datetime) -> datetime | None:
    """Until when an answer of staff costs nothing: a reply token is left that the silent guide did not use."""
    found = tx.execute(_SPARE, {"contact_id": contact_id, "now": now}).first()
    return None if found is None else found.reply_expires_at


def take_spare(tx: Connection, contact_id: int, now: datetime) -> outbox.ReplyToken | None:
    """Such a token, which nobody else can use then."""
    found = tx.execute(_SPARE, {"contact_id": contact_id, "now": now}).first()
    if found is None:
        return None
    tx.execute(update(INBOX).where(INBOX.c.id == found.id).values(reply_token=None))
    return outbox.ReplyToken(found.reply_token, found.reply_expires_at)


def withdraw(tx: Connection, claim: Claim, event: Event, now: datetime) -> None:
    """A text that was taken back is forgotten unread."""
    assert isinstance(event, Said)
    tx.execute(_SETTLE, [_ending(claim, InboxStatus.WITHDRAWN, now)])
    forgotten = codec.event_json(replace(event, text=""))
    tx.execute(update(INBOX).where(INBOX.c.id == claim.inbox_id).values(event=forgotten))


def _ending(claim: Claim, status: InboxStatus, now: datetime, *, spare: bool = False) -> dict[str, object]:
    token = claim.reply.token if spare and claim.reply is not None else None
    return {"inbox_id": claim.inbox_id, "ending": status.value, "now": now, "tried": claim.tries + 1, "token": token}

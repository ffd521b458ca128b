"""One event, one turn, one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, bindparam, exists, select, update
from sqlalchemy.exc import OperationalError

from bot import alerts, effects, links, outbox, pacing, settlement, taps
from bot.engine.state import EraseContact, Facts, State
from bot.messages import Commanded, Message, Priority, Pushed, ReminderDue, Said, StaffDid
from bot.runtime import Runtime
from bot.settlement import Attempt
from bot.store import codec
from bot.store.tables import CONTACT, INBOX, Inbox, InboxStatus, Utc, waiting

log = structlog.get_logger()

TURNS = Counter("turns", "Events handled, by how it ended", ["result"])

TRIES = 3
PAUSES = (timedelta(seconds=1), timedelta(seconds=5))
"""Before the second and the third try of an event that raised."""

ANSWER_LIFE = timedelta(hours=24)
"""An answer that could not leave for a day is not sent any more; a safety one has rung for staff by then."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """The oldest waiting event of one contact, whose row is locked until the transaction ends."""

    inbox_id: int
    to: outbox.Address
    contact_id: int
    version: int
    state: str | None
    seen_at: datetime
    event: str
    tries: int
    reply: outbox.ReplyToken | None

    @property
    def cause(self) -> str:
        return f"turn:{self.inbox_id}"


class Overtaken(Exception):
    """The contact was changed under a turn by something that did not lock it."""


class Relay(Protocol):
    """A worker that can send an answer right after its turn, without looking for it in the outbox."""

    def has_room(self) -> bool:
        """Whether another call to a provider can begin now."""
        ...

    def turned(self, one: Attempt | None, more: bool) -> None:
        """After each turn: what it leased for this worker, and whether there may be more events."""
        ...


def advance(runtime: Runtime, limit: int, relay: Relay | None = None) -> int:
    """Handles waiting events, each contact's oldest first and one at a time. How many were handled; fewer than `limit`
    means that nothing more is due. Raises when the database cannot be reached; what waits goes on waiting."""
    handled = 0
    while handled < limit:
        done = _advance_one(runtime, relay)
        if done is None:
            break
        handled += 1
        if relay is not None:
            relay.turned(done.leased, done.more)
        if not done.more:
            break
    return handled


@dataclass(frozen=True, slots=True)
class _Done:
    """A turn's ending; `leased` is for the worker to send, `more` whether another event may wait."""

    result: str
    more: bool
    leased: Attempt | None = None


def _advance_one(runtime: Runtime, relay: Relay | None) -> _Done | None:
    now = runtime.now()
    claim: _Claim | None = None

    def turn(tx: Connection) -> _Done | None:
        nonlocal claim
        claim = _claim(tx, now)
        if claim is None:
            return None
        result, leased = _handle(runtime, tx, claim, now, relay is not None and relay.has_room())
        return _Done(result.value, tx.execute(_ANYTHING).first() is not None, leased)

    try:
        done = runtime.db.together(turn)
    except OperationalError:
        raise  # the database's trouble, not the event's
    except Exception as error:
        if claim is None:
            raise
        log.error("turn_failed", inbox=claim.inbox_id, contact=claim.contact_id, error=error)
        done = _Done(_count_failure(runtime, claim, type(error).__name__, now), more=True)
    if done is not None:
        TURNS.labels(done.result).inc()
    return done


_other = INBOX.alias()
_A_CONTACT = (
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
    .limit(1)
    .with_for_update(of=CONTACT, key_share=True, skip_locked=True)
)
"""One that has something waiting, and no event in a pause after an error. Its row is locked for the turn, though not
against new events that point at it."""

_ANYTHING = select(INBOX.c.id).where(waiting()).limit(1)

_ITS_OLDEST = (
    select(INBOX.c.id, INBOX.c.event, INBOX.c.tries, INBOX.c.reply_token, INBOX.c.reply_expires_at)
    .where(INBOX.c.contact_id == bindparam("contact_id"), waiting())
    .order_by(INBOX.c.occurred_at, INBOX.c.id)
    .limit(1)
)

_SETTLE = (
    update(INBOX)
    .where(INBOX.c.id == bindparam("inbox_id"))
    .values(
        status=bindparam("ending"), done_at=bindparam("now"), tries=bindparam("tried"), reply_token=bindparam("token")
    )
)

_SAVE = (
    update(CONTACT)
    .where(CONTACT.c.id == bindparam("contact_id"), CONTACT.c.version == bindparam("seen"))
    .values(
        state=bindparam("state"),
        version=bindparam("next"),
        locale=bindparam("locale"),
        consents=bindparam("consents"),
        seen_at=bindparam("heard_at"),
    )
)

_TAKEN_BACK = (
    select(INBOX.c.id)
    .where(
        INBOX.c.contact_id == bindparam("contact_id"),
        INBOX.c.message_id == bindparam("message_id"),
        INBOX.c.kind == "unsent",
    )
    .limit(1)
)


def _claim(tx: Connection, now: datetime) -> _Claim | None:
    found = tx.execute(_A_CONTACT, {"now": now}).first()
    if found is None:
        return None
    event = tx.execute(_ITS_OLDEST, {"contact_id": found.id}).one()
    reply = None
    if event.reply_token is not None and event.reply_expires_at is not None:
        reply = outbox.ReplyToken(event.reply_token, event.reply_expires_at)
    to = outbox.Address(found.id, found.channel, found.user_id)
    return _Claim(event.id, to, found.id, found.version, found.state, found.seen_at, event.event, event.tries, reply)


def _handle(
    runtime: Runtime, tx: Connection, claim: _Claim, now: datetime, room: bool
) -> tuple[InboxStatus, Attempt | None]:
    event = codec.event_from(claim.event)
    if isinstance(event, Said) and _taken_back(tx, claim.contact_id, event.message_id):
        _settle(tx, claim, InboxStatus.WITHDRAWN, now)
        tx.execute(
            update(Inbox).where(Inbox.id == claim.inbox_id).values(event=codec.event_json(replace(event, text="")))
        )
        return InboxStatus.WITHDRAWN, None
    facts = Facts(now, ZoneInfo(runtime.content.clinic.time_zone), links.possible(runtime.settings))
    turn = runtime.step(runtime.content, codec.state_from(claim.state), facts, event)
    by_patient = not isinstance(event, ReminderDue | StaffDid)
    unused = turn.message is None and turn.state.taken is not None
    _settle(tx, claim, InboxStatus.DONE, now, keep_token=unused)
    if isinstance(event, Commanded) and event.via:
        taps.count_button(runtime.db, tx, event.via, claim.contact_id, now)
    _save(tx, claim, turn.state, now if by_patient else claim.seen_at)
    if isinstance(event, StaffDid):
        claim = replace(claim, reply=_spare_token(tx, claim.contact_id, now))
    leased = None
    room = room and not any(isinstance(effect, EraseContact) for effect in turn.effects)  # its row changes hands
    if turn.message is not None:
        message = links.signed(runtime.settings, turn.message, claim.contact_id, now)
        if isinstance(event, ReminderDue):
            _put_timed(runtime, tx, claim, message, now, event)
        else:
            alone = turn.state.waiting is not None or turn.state.lock is not None or isinstance(event, StaffDid)
            leased = _answer(runtime, tx, claim, message, now, room, alone=alone)
    effects.apply(runtime.db, tx, claim.contact_id, turn, claim.cause, now)
    return InboxStatus.DONE, leased


def _answer(
    runtime: Runtime, tx: Connection, claim: _Claim, message: Message, now: datetime, room: bool, *, alone: bool
) -> Attempt | None:
    """Puts the answer into the outbox; leased, if it can leave at once as a reply and nothing of the contact's is ahead
    of it. `alone`: nothing goes along, for something is being asked."""
    lease = None
    if room and claim.reply and claim.reply.expires_at > now and not outbox.has_open(tx, claim.contact_id):
        lease = outbox.Lease(str(runtime.new_uuid()), now + settlement.LEASE)
    outbox_id = outbox.put(
        runtime.db,
        tx,
        claim.to,
        message,
        cause=claim.cause,
        dedupe_key=claim.cause,
        now=now,
        reply=claim.reply,
        expires_at=now + ANSWER_LIFE,
        lease=lease,
        alone=alone,
    )
    if lease is None or claim.reply is None or outbox_id is None:
        return None
    return Attempt(
        outbox_id=outbox_id,
        number=1,
        contact_id=claim.contact_id,
        channel=claim.to.channel,
        user_id=claim.to.user_id,
        message=codec.message_json(message),
        priority=(Priority.SAFETY if message.safety else Priority.REPLY).rank,
        doubt=0,
        request_id=lease.request_id,
        reply_token=claim.reply.token,
    )


def _put_timed(
    runtime: Runtime, tx: Connection, claim: _Claim, message: Message, now: datetime, event: ReminderDue
) -> None:
    """Nobody waits for it, and it may leave together with others like it. One that was put off was asked for."""
    kind: Pushed = "care" if event.reminder == "care" else "extra"
    pacing.put(
        runtime,
        tx,
        claim.to,
        message,
        kind=None if event.asked else kind,
        cause=claim.cause,
        dedupe_key=claim.cause,
        now=now,
        expires_at=event.expires_at,
    )


def _taken_back(tx: Connection, contact_id: int, message_id: str) -> bool:
    """Whether the text's sender has taken it back meanwhile (or before it arrived)."""
    if not message_id:
        return False
    return tx.execute(_TAKEN_BACK, {"contact_id": contact_id, "message_id": message_id}).first() is not None


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


def spare_until(tx: Connection, contact_id: int, now: datetime) -> datetime | None:
    """Until when an answer of staff costs nothing: a reply token is left that the silent guide did not use."""
    found = tx.execute(_SPARE, {"contact_id": contact_id, "now": now}).first()
    return None if found is None else found.reply_expires_at


def _spare_token(tx: Connection, contact_id: int, now: datetime) -> outbox.ReplyToken | None:
    """Taken, so that nobody else uses it."""
    found = tx.execute(_SPARE, {"contact_id": contact_id, "now": now}).first()
    if found is None:
        return None
    tx.execute(update(Inbox).where(Inbox.id == found.id).values(reply_token=None))
    return outbox.ReplyToken(found.reply_token, found.reply_expires_at)


def _settle(tx: Connection, claim: _Claim, status: InboxStatus, now: datetime, *, keep_token: bool = False) -> None:
    token = claim.reply.token if keep_token and claim.reply is not None else None
    values = {"inbox_id": claim.inbox_id, "ending": status.value, "now": now, "tried": claim.tries + 1, "token": token}
    tx.execute(_SETTLE, values)


def _save(tx: Connection, claim: _Claim, state: State, heard_at: datetime) -> None:
    values = {
        "contact_id": claim.contact_id,
        "seen": claim.version,
        "next": claim.version + 1,
        "state": codec.state_json(state),
        "locale": state.locale,
        "consents": codec.times_json(state.consents),
        "heard_at": heard_at,
    }
    if tx.execute(_SAVE, values).rowcount != 1:
        raise Overtaken


def _count_failure(runtime: Runtime, claim: _Claim, error: str, now: datetime) -> str:
    """Another try after a pause; after the third the event is given up, staff is told, and later events go on."""
    tries = claim.tries + 1
    row = update(Inbox).where(Inbox.id == claim.inbox_id, Inbox.status == InboxStatus.WAITING)
    with runtime.db.write() as tx:
        if tries < TRIES:
            tx.execute(row.values(tries=tries, error=error, not_before=now + PAUSES[tries - 1]))
            return "retried"
        given_up = tx.execute(row.values(tries=tries, error=error, status=InboxStatus.FAILED, done_at=now))
        if given_up.rowcount:
            alerts.open_alert(
                runtime.db,
                tx,
                contact_id=claim.contact_id,
                urgency=alerts.BROKEN,
                flags=("turn_failed",),
                origin="program",
                dedupe_key=claim.cause,
                now=now,
            )
    return InboxStatus.FAILED.value

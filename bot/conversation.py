"""Events become turns: each contact's oldest first, those of several contacts in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, update
from sqlalchemy.exc import OperationalError

from bot import alerts, bookings, claims, effects, journey, links, outbox, pacing, settlement, taps
from bot.claims import Claim, Kept
from bot.engine.diary import BookingEffect
from bot.engine.state import Effect, EraseContact, Facts, State, Turn
from bot.messages import (
    BookingDecided,
    BookingDue,
    Commanded,
    Event,
    Message,
    Pushed,
    ReminderDue,
    Said,
    SlotOffered,
    StaffDid,
)
from bot.outbox import Entry
from bot.runtime import Runtime
from bot.settlement import Attempt
from bot.slots import Span
from bot.store import codec
from bot.store.tables import Inbox, InboxStatus

log = structlog.get_logger()

TURNS = Counter("turns", "Events handled, by how it ended", ["result"])

TRIES = 3
PAUSES = (timedelta(seconds=1), timedelta(seconds=5))
"""Before the second and the third try of an event that raised."""

TIMED = ReminderDue | BookingDue | SlotOffered
"""Events whose message is of use only for a while."""

OUR_OWN = TIMED | BookingDecided | StaffDid
"""Nothing that the patient did."""

AT_ONCE = 8
"""Contacts whose turns share a transaction when many wait: its statements and its COMMIT are paid once. The first answer
waits for the last turn, some 10 ms, and so does a webhook on SQLite, which has one writer."""

AT_ONCE_UNHURRIED = 64
"""As many when the last ones were all the clock's: nobody is waiting for those."""

WEBHOOKS_FIRST = 0.04
"""Seconds that turns wait at most for webhooks that are being stored: the provider, too, waits for those."""

ANSWER_LIFE = timedelta(hours=24)
"""An answer that could not leave for a day is not sent any more; a safety one has rung for staff by then."""


class Relay(Protocol):
    """A worker that can send answers right after their turns, without looking for them in the outbox."""

    def room(self) -> int:
        """How many calls to a provider can begin now."""
        ...

    def turned(self, leased: Sequence[Attempt], left: bool, more: bool) -> None:
        """After each transaction: what it leased for this worker, whether it left more to be sent in the outbox, and
        whether there may be more events."""
        ...


def advance(runtime: Runtime, limit: int, relay: Relay | None = None) -> int:
    """Handles waiting events, each contact's oldest first and one at a time. How many were handled; fewer than `limit`
    means that nothing more is due. Raises when the database cannot be reached; what waits goes on waiting."""
    handled, done = 0, _Done(0, more=True)
    while done.more and handled < limit:
        if relay is not None:
            runtime.db.give_way(WEBHOOKS_FIRST)
        most = AT_ONCE_UNHURRIED if done.unhurried else AT_ONCE
        done = _advance_some(runtime, min(most, limit - handled), relay)
        handled += done.count
    return handled


@dataclass(frozen=True, slots=True)
class _Done:
    """Turns that were committed; `leased` is for the worker to send, `left` whether there is something else to send,
    `more` whether another event may wait. `unhurried`: nobody was waiting for any of them."""

    count: int
    more: bool
    leased: Sequence[Attempt] = ()
    left: bool = False
    withdrawn: int = 0
    unhurried: bool = False


NOTHING = _Done(0, more=False)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A turn that was taken but is not written down yet."""

    claim: Claim
    event: Event
    turn: Turn


def _advance_some(runtime: Runtime, most: int, relay: Relay | None) -> _Done:
    """The turns of at most `most` contacts, in one transaction. When one of them raises, all are undone and each is done
    again alone."""
    now = runtime.now()
    claimed: Sequence[Claim] = ()

    def turns(tx: Connection) -> _Done:
        nonlocal claimed
        claimed = claims.claim(tx, now, most)
        return _handle(runtime, tx, claimed, now, relay.room() if relay is not None else 0) if claimed else NOTHING

    try:
        done = runtime.db.together(turns)
    except OperationalError:
        raise  # the database's trouble, not the event's
    except Exception as error:
        if not claimed:
            raise
        if len(claimed) > 1:
            return _Done(sum(_advance_some(runtime, 1, relay).count for _ in claimed), more=True)
        log.error("turn_failed", inbox=claimed[0].inbox_id, contact=claimed[0].contact_id, error=error)
        TURNS.labels(_count_failure(runtime, claimed[0], type(error).__name__, now)).inc()
        return _Done(1, more=True)
    TURNS.labels(InboxStatus.DONE.value).inc(done.count - done.withdrawn)
    TURNS.labels(InboxStatus.WITHDRAWN.value).inc(done.withdrawn)
    if relay is not None and done.count:
        relay.turned(done.leased, done.left, done.more)
    return done


def _handle(runtime: Runtime, tx: Connection, claimed: Sequence[Claim], now: datetime, room: int) -> _Done:
    facts = Facts(now, ZoneInfo(runtime.content.clinic.time_zone), links.possible(runtime.settings))
    taken: list[_Taken] = []
    for claim in claimed:
        event = codec.event_from(claim.event)
        if claim.taken_back and isinstance(event, Said):
            claims.withdraw(tx, claim, event, now)
        else:
            turn = _step(runtime, tx, claim, facts, event)
            if isinstance(event, StaffDid):
                claim = replace(claim, reply=claims.take_spare(tx, claim.contact_id, now))
            taken.append(_Taken(claim, event, turn))
    claims.keep(tx, [_kept(one, now) for one in taken], now)
    journey.keep(runtime.db, tx, _asked(taken), now)
    leased, left = _put_messages(runtime, tx, taken, now, room)
    for one in taken:
        if isinstance(one.event, Commanded) and one.event.via:
            taps.count_button(runtime.db, tx, one.event.via, one.claim.contact_id, now)
        effects.apply(runtime, tx, one.claim.contact_id, one.turn, one.claim.cause, now)
    return _Done(
        len(claimed),
        claims.anything_waits(tx),
        leased,
        left,
        withdrawn=len(claimed) - len(taken),
        unhurried=all(isinstance(one.event, ReminderDue) for one in taken),
    )


def _step(runtime: Runtime, tx: Connection, claim: Claim, facts: Facts, event: Event) -> Turn:
    """The turn; made again with the clinic's calendar when it turns out to be about that. What it wants done there is done at
    once: the next turn of the same transaction may want the same time."""
    state = codec.state_from(claim.state)
    turn = runtime.step(runtime.content, state, facts, event)
    if not turn.needs_diary:
        return turn
    wanted = None
    if isinstance(event, BookingDecided) and event.starts_at is not None and event.ends_at is not None:
        wanted = Span(event.starts_at, event.ends_at)
    diary = bookings.diary(runtime, tx, claim.contact_id, facts.now, wanted)
    turn = runtime.step(runtime.content, state, replace(facts, diary=diary), event)
    others: list[Effect] = []
    for effect in turn.effects:
        if isinstance(effect, BookingEffect):
            bookings.apply(runtime, tx, claim.contact_id, effect, facts.now)
        else:
            others.append(effect)
    return replace(turn, effects=tuple(others))


def _kept(one: _Taken, now: datetime) -> Kept:
    by_patient = not isinstance(one.event, OUR_OWN)
    unused = one.turn.message is None and one.turn.state.taken is not None
    return Kept(one.claim, one.turn.state, now if by_patient else one.claim.seen_at, unused)


def _asked(taken: Sequence[_Taken]) -> Sequence[journey.Step]:
    steps = (journey.asked(one.claim.contact_id, one.turn.state) for one in taken if one.turn.message is not None)
    return [step for step in steps if step is not None]


def _put_messages(
    runtime: Runtime, tx: Connection, taken: Sequence[_Taken], now: datetime, room: int
) -> tuple[Sequence[Attempt], bool]:
    """Puts what the turns say into the outbox. At most `room` answers are leased, in the order of their events; whether
    there are messages beside them."""
    free = [one.claim.contact_id for one in taken if room and _leaves_at_once(one, now)]
    free_now = set(free) - outbox.with_open(tx, free)
    entries: list[Entry] = []
    for one in taken:
        if one.turn.message is None:
            continue
        lease = None
        if room and one.claim.contact_id in free_now:
            lease = outbox.Lease(str(runtime.new_uuid()), now + settlement.LEASE)
            room -= 1
        message = links.signed(runtime.settings, one.turn.message, one.claim.contact_id, now)
        entries.append(_entry(runtime, one, message, now, lease))
    ids = outbox.put_all(runtime.db, tx, entries, now)
    leased = [_attempt(one, one.lease, ids[one.dedupe_key]) for one in entries if one.lease and one.dedupe_key in ids]
    return leased, len(ids) > len(leased)


def _leaves_at_once(one: _Taken, now: datetime) -> bool:
    """Whether the turn's answer can leave as a reply. Not a farewell: its row changes hands."""
    reply = one.claim.reply
    erased = any(isinstance(effect, EraseContact) for effect in one.turn.effects)
    return reply is not None and reply.expires_at > now and not erased and one.turn.message is not None


def _entry(runtime: Runtime, one: _Taken, message: Message, now: datetime, lease: outbox.Lease | None) -> Entry:
    """Nobody waits for what the clock brought about; one that was put off was asked for. Nothing goes along with an answer
    while something is being asked."""
    if not isinstance(one.event, TIMED):
        return Entry(
            one.claim.to,
            message,
            cause=one.claim.cause,
            dedupe_key=one.claim.cause,
            reply=one.claim.reply,
            expires_at=now + ANSWER_LIFE,
            lease=lease,
            alone=_is_asking(one.turn.state) or isinstance(one.event, StaffDid),
        )
    return pacing.entry(
        runtime,
        one.claim.to,
        message,
        kind=_pushed(one.event),
        cause=one.claim.cause,
        dedupe_key=one.claim.cause,
        now=now,
        expires_at=one.event.expires_at,
    )


def _pushed(event: ReminderDue | BookingDue | SlotOffered) -> Pushed | None:
    """None for what was asked for: a reminder that was put off, a time that somebody on the waiting list waits for."""
    match event:
        case BookingDue():
            return "booking"
        case SlotOffered() | ReminderDue(asked=True):
            return None
        case ReminderDue(reminder=reminder):
            return "care" if reminder == "care" else "extra"


def _is_asking(state: State) -> bool:
    return state.waiting is not None or state.lock is not None


def _attempt(entry: Entry, lease: outbox.Lease, outbox_id: int) -> Attempt:
    return Attempt(
        outbox_id=outbox_id,
        number=1,
        contact_id=entry.to.contact_id,
        channel=entry.to.channel,
        user_id=entry.to.user_id,
        message=codec.message_json(entry.message),
        priority=entry.rank,
        doubt=0,
        request_id=lease.request_id,
        reply_token=entry.reply.token if entry.reply else None,
    )


def _count_failure(runtime: Runtime, claim: Claim, error: str, now: datetime) -> str:
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

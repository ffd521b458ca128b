"""The one way out: takes what is due from the outbox and sends it. What follows from each ending: bot.settlement."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, or_, select, true, update
from sqlalchemy.orm import aliased

from bot import settlement
from bot.channels.base import Delivery, Outcome, Receipt
from bot.messages import Priority
from bot.runtime import Runtime
from bot.settlement import Attempt
from bot.store import codec
from bot.store.tables import Contact, Outbox, OutboxStatus, ahead, ready

log = structlog.get_logger()

LEASE = timedelta(seconds=25)
"""How long a worker may be busy with one message before another takes it over. Longer than the slowest call (13 s with
LINE), shorter than a reply token's life, so that a dead worker's answers still leave for nothing."""

KEY_LIFE = timedelta(hours=24)
"""How long LINE knows a retry key again (Messaging API reference, "Retry an API request")."""

BATCH = 16
"""Messages claimed in one transaction at most."""


def deliver(runtime: Runtime, limit: int) -> int:
    """Sends what is due, one after the other, in this thread. How many were attempted; fewer than `limit` means that
    nothing more is due now."""
    release_expired(runtime)
    attempted = 0
    while attempted < limit:
        claimed = claim(runtime, min(BATCH, limit - attempted))
        if not claimed:
            break
        for one in claimed:
            attempt(runtime, one)
        attempted += len(claimed)
    return attempted


def release_expired(runtime: Runtime, *, everybody: bool = False) -> int:
    """Frees what a worker took and never settled: it died between the two, so each may have arrived. `everybody` frees
    living leases as well: for the only worker there is, when it starts."""
    now = runtime.now()
    taken = Outbox.status == OutboxStatus.SENDING
    expired = taken if everybody else and_(taken, Outbox.lease_until <= now)
    with runtime.db.read() as look:
        ids = look.execute(select(Outbox.id).where(ahead(Outbox), expired)).scalars().all()
    if not ids:
        return 0
    freed = update(Outbox).where(Outbox.id.in_(ids), expired)
    with runtime.db.write() as tx:
        count = tx.execute(freed.values(status=OutboxStatus.WAITING, doubt=Outbox.doubt + 1, not_before=now)).rowcount
    log.warning("leases_released", count=count)
    return count


def claim(runtime: Runtime, limit: int) -> Sequence[Attempt]:
    """Leases at most `limit` messages, the most urgent first, never two of one contact. Commits. What may not or need
    not be sent any more is settled here and not returned."""
    now = runtime.now()
    claimed: list[Attempt] = []
    while len(claimed) < limit:
        with runtime.db.write() as tx:
            rows = tx.execute(_due(runtime, now, limit - len(claimed))).all()
            fresh = [one for row in rows if (one := _take(runtime, tx, row, now)) is not None]
        claimed += fresh
        if len(fresh) == len(rows):
            break  # else some were settled on the spot, and may have stood in the way of others
    return claimed


def attempt(runtime: Runtime, one: Attempt) -> Receipt:
    """One call to the provider, outside any transaction, and its settlement."""
    receipt = _send(runtime, one)
    settlement.settle(runtime, one, receipt)
    return receipt


def _send(runtime: Runtime, one: Attempt) -> Receipt:
    channel = runtime.channels.get(one.channel)
    if channel is None:
        return Receipt(Outcome.RETRY, error="channel_not_configured")
    try:
        message = codec.message_from(one.message)
        return channel.send(Delivery(one.user_id, message, one.request_id, one.reply_token))
    except Exception as error:  # a bug of ours: staff hears of it, and nobody else's messages wait for the repair
        log.error("send_raised", outbox=one.outbox_id, error=error)
        return Receipt(Outcome.REJECTED, error=type(error).__name__)


_COLUMNS = (
    Outbox.id,
    Outbox.contact_id,
    Outbox.channel,
    Outbox.user_id,
    Outbox.message,
    Outbox.priority,
    Outbox.expires_at,
    Outbox.attempts,
    Outbox.doubt,
    Outbox.request_id,
    Outbox.request_at,
    Outbox.reply_token,
    Outbox.reply_expires_at,
)


def _due(runtime: Runtime, now: datetime, limit: int) -> Select[*tuple[Any, ...]]:
    """A contact's messages leave in their order, but a less urgent one never keeps a more urgent one waiting, nor does
    one that is held, or not due yet."""
    earlier = aliased(Outbox)
    blocked = exists().where(
        earlier.contact_id == Outbox.contact_id,
        earlier.id < Outbox.id,
        earlier.priority <= Outbox.priority,
        ahead(earlier),
        or_(
            earlier.status == OutboxStatus.SENDING,
            and_(or_(earlier.not_before <= now, earlier.attempts > 0), _passes_gate(runtime, earlier, now)),
        ),
    )
    return (
        select(*_COLUMNS)
        .where(ready(Outbox), Outbox.not_before <= now, ~blocked, _passes_gate(runtime, Outbox, now))
        .order_by(Outbox.priority, Outbox.not_before, Outbox.id)
        .limit(limit)
        .with_for_update(of=Outbox, skip_locked=True)
    )


def _passes_gate(runtime: Runtime, outbox: type[Outbox], now: datetime) -> ColumnElement[bool]:
    """SEND_GATE stands before pushes. An answer with a living reply token passes: somebody is waiting for it, here."""
    reply = and_(outbox.reply_token.is_not(None), outbox.reply_expires_at > now)
    match runtime.settings.send_gate:
        case "on":
            return true()
        case "test":
            return or_(reply, exists().where(Contact.id == outbox.contact_id, Contact.is_test))
        case "off":
            return reply


def _take(runtime: Runtime, tx: Connection, row: Row[Any], now: datetime) -> Attempt | None:
    this = update(Outbox).where(Outbox.id == row.id)
    way = _way(runtime, row, now)
    if way == "skip" or way == "give_up":
        status = OutboxStatus.SKIPPED if way == "skip" else OutboxStatus.UNCERTAIN
        tx.execute(this.values(status=status, **settlement.final(row.contact_id, now)))
        settlement.ring_if_safety(runtime.db, tx, row.id, row.contact_id, row.priority, status.value, now)
        log.warning("message_given_up", outbox=row.id, status=status.value)
        return None
    request_id, request_at = row.request_id, row.request_at
    if request_id is None or now - request_at >= KEY_LIFE:
        request_id, request_at = str(runtime.new_uuid()), now
    reply_token = row.reply_token if way == "reply" else None
    tx.execute(
        this.values(
            status=OutboxStatus.SENDING,
            attempts=row.attempts + 1,
            lease_until=now + LEASE,
            request_id=request_id,
            request_at=request_at,
            reply_token=reply_token,
        )
    )
    return Attempt(
        outbox_id=row.id,
        number=row.attempts + 1,
        contact_id=row.contact_id,
        channel=row.channel,
        user_id=row.user_id,
        message=row.message,
        priority=row.priority,
        doubt=row.doubt,
        request_id=request_id,
        reply_token=reply_token,
    )


def _way(runtime: Runtime, row: Row[Any], now: datetime) -> Literal["reply", "push", "skip", "give_up"]:
    """A message that may have arrived is sent again where the provider knows it again: as a reply while the token
    lives, as a push by its retry key. Where it does not, only safety advice is (once more) - or an answer whose token
    could be tried twice and more without any response: then it is the provider that was away."""
    if row.expires_at is not None and row.expires_at <= now:
        return "skip"
    if row.reply_token is not None and row.reply_expires_at > now:
        return "reply"
    if row.doubt == 0:
        return "push"
    safety = row.priority == Priority.SAFETY.rank
    if row.reply_token is not None:
        return "push" if safety or row.doubt > 1 else "give_up"
    channel = runtime.channels.get(row.channel)
    if channel is None or channel.limits.keyed:
        return "push" if now - row.request_at < KEY_LIFE else "give_up"
    return "push" if safety and row.doubt == 1 else "give_up"

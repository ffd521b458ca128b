"""The one way out: takes what is due from the outbox and sends it. What follows from each ending: bot.settlement."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any, Literal

import structlog
from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    or_,
    select,
    true,
    update,
)

from bot import fanout, gate, multicast, outbox, pacing, riding, settlement
from bot.channels.base import Delivery, Outcome, Paced, Receipt
from bot.config import SendGate
from bot.messages import Priority
from bot.multicast import Batch
from bot.riding import Rider
from bot.runtime import Runtime
from bot.settlement import Attempt
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import OUTBOX, Outbox, OutboxStatus, ahead, ready, unsettled

log = structlog.get_logger()

BATCH = 16
"""Messages claimed in one transaction at most."""


LATE_MOST = 500
"""Messages past their useful life that are settled in one transaction."""


def deliver(runtime: Runtime, limit: int) -> int:
    """Sends what is due, one after the other, in this thread. How many were attempted; fewer than `limit` means that
    nothing more is due now."""
    release_expired(runtime)
    let_go(runtime)
    attempted = 0
    while attempted < limit:
        claimed = claim_some(runtime, min(BATCH, limit - attempted))
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
        ids = look.execute(select(Outbox.id).where(ahead(), expired)).scalars().all()
    if not ids:
        return 0
    freed = update(Outbox).where(Outbox.id.in_(ids), expired)
    with runtime.db.write() as tx:
        count = tx.execute(freed.values(status=OutboxStatus.WAITING, doubt=Outbox.doubt + 1, not_before=now)).rowcount
    log.warning("leases_released", count=count)
    return count


def let_go(runtime: Runtime) -> int:
    """Settles what waited past its useful life, whatever held it, and rings for safety advice that stands before the gate:
    a person must phone. How many were settled."""
    total = 0
    while True:
        now = runtime.now()
        with runtime.db.read() as look:
            late = look.execute(_LATE, {"now": now}).all()
            opened = gate.current(look, runtime.settings).value
            kept = look.execute(_kept(opened), {"now": now}).all() if opened != "on" else []
        with runtime.db.read() as look:
            left_behind = look.execute(riding.STRANDED).first() is not None
        if late or kept or left_behind:
            with runtime.db.write() as tx:
                total += sum(_skip(runtime.db, tx, row, now) for row in late)
                riding.free(tx)
                for row in kept:
                    settlement.ring_if_safety(runtime.db, tx, row.id, row.contact_id, row.priority, "gate", now)
        if len(late) < LATE_MOST:
            break
    if total:
        log.warning("messages_past_their_use", count=total)
    return total


def _skip(db: Database, tx: Connection, row: Row[Any, Any, Any], now: datetime) -> bool:
    values = {"status": OutboxStatus.SKIPPED, "error": outbox.TOO_LATE, **settlement.final(row.contact_id, now)}
    skipped = tx.execute(update(Outbox).where(Outbox.id == row.id, unsettled()).values(**values)).rowcount
    if skipped:
        settlement.ring_if_safety(db, tx, row.id, row.contact_id, row.priority, "skipped", now)
    return bool(skipped)


_WHOSE = select(OUTBOX.c.id, OUTBOX.c.contact_id, OUTBOX.c.priority).where(unsettled())
_LATE = _WHOSE.where(OUTBOX.c.expires_at <= outbox.NOW).order_by(OUTBOX.c.id).limit(LATE_MOST)


@cache
def _kept(opened: SendGate) -> Select[*tuple[Any, ...]]:
    safety = OUTBOX.c.priority == Priority.SAFETY.rank
    return _WHOSE.where(safety, OUTBOX.c.not_before <= outbox.NOW, ~outbox.passes(opened))


def claim(runtime: Runtime, limit: int, few: int | None = None) -> Sequence[Attempt]:
    """Leases at most `limit` messages, the most urgent first, never two of one contact, and at most `few` of broadcasts.
    Commits. What may not or need not be sent any more is settled here and not returned."""
    now = runtime.now()
    claimed: list[Attempt] = []
    while len(claimed) < limit:
        left = limit if few is None else few - sum(one.of_broadcast for one in claimed)
        taken = runtime.db.together(partial(_claim, runtime, now, limit - len(claimed), left))
        claimed += (one for one in taken if one is not None)
        if None not in taken:
            break  # else some were settled on the spot, and may have stood in the way of others
    return claimed


def claim_some(runtime: Runtime, limit: int, few: int | None = None) -> Sequence[Attempt | Batch]:
    """At most `limit` calls to make: messages that leave alone first (at most `few` of broadcasts), then one that many get,
    broadcasts last."""
    claimed = claim(runtime, limit, few)
    if len(claimed) == limit:
        return claimed
    batch, left_alone = multicast.claim(runtime)
    batch = batch or fanout.claim(runtime)
    if batch is not None:
        return (*claimed, batch)
    return (*claimed, *claim(runtime, limit - len(claimed), few)) if left_alone else claimed


def attempt(runtime: Runtime, one: Attempt | Batch) -> bool:
    """One call to the provider, outside any transaction, and its settlement. Whether a next message may have waited for
    this."""
    if isinstance(one, Batch):
        multicast.send(runtime, one)
        return True
    return settlement.settle(runtime, [(one, send(runtime, one))])


def send(runtime: Runtime, one: Attempt) -> Receipt:
    """One call to the provider, outside any transaction; `settlement.settle` must follow."""
    channel = runtime.channels.get(one.channel)
    if channel is None:
        return Receipt(Outcome.RETRY, error="channel_not_configured")
    try:
        message = codec.message_from(one.message)
        return channel.send(Delivery(one.user_id, message, one.request_id, one.reply_token))
    except Exception as error:  # a bug of ours: staff hears of it, and nobody else's messages wait for the repair
        log.error("send_raised", outbox=one.outbox_id, error=error)
        return Receipt(Outcome.REJECTED, error=type(error).__name__)


@cache
def _due(opened: SendGate, full: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    """What may leave now and alone, the most urgent first. On a channel that is `full`, only what somebody waits for."""
    room = or_(OUTBOX.c.priority <= Priority.REPLY.rank, OUTBOX.c.channel.not_in(full)) if full else true()
    return (
        select(OUTBOX)
        .where(ready(), outbox.may_leave(opened), room)
        .order_by(OUTBOX.c.priority, OUTBOX.c.not_before, OUTBOX.c.id)
        .limit(bindparam("most"))
        .with_for_update(of=OUTBOX, skip_locked=True)
    )


_LEASE = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox_id"))
    .values(
        status=OutboxStatus.SENDING.value,
        attempts=bindparam("number"),
        lease_until=bindparam("until"),
        request_id=bindparam("request"),
        request_at=bindparam("requested"),
        reply_token=bindparam("reply"),
    )
)


def _claim(runtime: Runtime, now: datetime, limit: int, few: int, tx: Connection) -> Sequence[Attempt | None]:
    opened = gate.current(tx, runtime.settings).value
    full = tuple(name for name, channel in runtime.channels.items() if isinstance(channel, Paced) and channel.full())
    found = tx.execute(_due(opened, full), {"now": now, "most": limit}).all()
    tips = [row.id for row in found if row.broadcast_id is not None]
    rows = [row for row in found if row.id not in tips[max(0, few) :]]
    withheld = fanout.withhold(runtime, tx, [row for row in rows if row.broadcast_id is not None], now)
    judged = {*_paced(runtime, tx, rows, now), *withheld}
    beside = _beside(tx, [row for row in rows if not row.alone and row.id not in judged], opened, now)
    taken: list[Attempt | None] = []
    along: set[int] = set()
    for row in rows:
        if row.id in along:
            continue
        one = None if row.id in judged else _take(runtime, tx, row, now, beside.get(row.contact_id, ()))
        along.update(rider.outbox_id for rider in (one.riders if one is not None else ()))
        taken.append(one)
    return taken


def _paced(runtime: Runtime, tx: Connection, rows: Sequence[Row[Any]], now: datetime) -> Collection[int]:
    """Those that the day has no room for now: they were moved or skipped."""
    fresh = [row for row in rows if row.kind is not None and row.request_id is None and row.broadcast_id is None]
    return pacing.keep(tx, runtime.content, fresh, now)


def _beside(
    tx: Connection, rows: Sequence[Row[Any]], opened: SendGate, now: datetime
) -> Mapping[int, Sequence[Row[Any]]]:
    """What may leave along, by contact. What the gate would hold goes along with no answer either."""
    known = [row for row in rows if row.contact_id is not None]  # a farewell has no contact any more
    people = [row.contact_id for row in known if opened == "on" or row.kind is not None]
    beside: dict[int, list[Row[Any]]] = {}
    for row in riding.company(tx, people, now) if people else ():
        beside.setdefault(row.contact_id, []).append(row)
    return beside


def _take(runtime: Runtime, tx: Connection, row: Row[Any], now: datetime, beside: Sequence[Row[Any]]) -> Attempt | None:
    way = _way(runtime, row, now)
    if way == "skip" or way == "give_up":
        status = OutboxStatus.SKIPPED if way == "skip" else OutboxStatus.UNCERTAIN
        this = update(Outbox).where(Outbox.id == row.id)
        reason = {"error": outbox.TOO_LATE} if way == "skip" else {}
        tx.execute(this.values(status=status, **reason, **settlement.final(row.contact_id, now)))
        settlement.ring_if_safety(runtime.db, tx, row.id, row.contact_id, row.priority, status.value, now)
        log.warning("message_given_up", outbox=row.id, status=status.value)
        return None
    request_id, request_at = row.request_id, row.request_at
    if request_id is None or now - request_at >= settlement.KEY_LIFE:
        request_id, request_at = str(runtime.new_uuid()), now
    message = row.message
    riders: tuple[Rider, ...] = ()
    if not row.alone and any(other.id != row.id for other in beside):
        whole, riders = riding.board(row.id, row.kind, codec.message_from(message), beside)
        message = codec.message_json(whole)
    one = Attempt(
        outbox_id=row.id,
        number=row.attempts + 1,
        contact_id=row.contact_id,
        channel=row.channel,
        user_id=row.user_id,
        message=message,
        priority=row.priority,
        doubt=row.doubt,
        request_id=request_id,
        reply_token=row.reply_token if way == "reply" else None,
        riders=riders,
    )
    values = {"outbox_id": one.outbox_id, "number": one.number, "until": now + settlement.LEASE, "request": request_id}
    tx.execute(_LEASE, {**values, "requested": request_at, "reply": one.reply_token})
    if riders:
        shared = {"until": now + settlement.LEASE, "request": request_id, "requested": request_at}
        riding.lease(tx, riders, row.id, shared)
    return one


def _way(runtime: Runtime, row: Row[Any], now: datetime) -> Literal["reply", "push", "skip", "give_up"]:
    """A message that may have arrived is sent again where the provider knows it again: as a reply while the token
    lives (where that works once), as a push by its retry key. Where it does not, only safety advice is (once more) - or an answer whose token
    could be tried twice and more without any response: then it is the provider that was away."""
    if row.expires_at is not None and row.expires_at <= now:
        return "skip"
    channel = runtime.channels.get(row.channel)
    reply_once = channel is None or channel.limits.reply_once
    if row.reply_token is not None and row.reply_expires_at > now and (row.doubt == 0 or reply_once):
        return "reply"
    if row.doubt == 0:
        return "push"
    safety = row.priority == Priority.SAFETY.rank
    if row.reply_token is not None and reply_once:
        return "push" if safety or row.doubt > 1 else "give_up"
    if channel is None or channel.limits.keyed:
        return "push" if now - row.request_at < settlement.KEY_LIFE else "give_up"
    return "push" if safety and row.doubt == 1 else "give_up"

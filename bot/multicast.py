"""Messages that say the same to many: one call, one retry key, and every addressee's message settled by its receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, assert_never

import structlog
from sqlalchemy import Connection, Row, Select, Update, and_, bindparam, or_, select, update

from bot import gate, outbox, pacing, riding, settlement
from bot.channels.base import Outcome, Receipt, SendsToMany
from bot.config import SendGate
from bot.runtime import Runtime
from bot.settlement import ATTEMPTS, BILLED, QUOTA_PAUSE
from bot.store import codec
from bot.store.tables import INBOX, OUTBOX, OutboxStatus, Utc, ahead, batched, waiting

log = structlog.get_logger()

GATHER = timedelta(seconds=10)
"""How long a message waits for others like it while more turns of due reminders are under way."""


@dataclass(frozen=True, slots=True)
class Member:
    """One addressee's message. `number` tells this lease from a later one."""

    outbox_id: int
    number: int
    user_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Leased messages that leave in one call. `request_id` is the retry key: whoever is in a repeated call was in the
    first one."""

    members: tuple[Member, ...]
    channel: str
    message: str
    request_id: str


def claim(runtime: Runtime) -> tuple[Batch | None, int]:
    """Leases the oldest messages that can leave together, at most as many as the channel takes. Commits. None when there
    are none, or when more like them are just being written. What is past its useful life is settled on the way; what
    finds no others is left to leave alone: how many were."""
    now, left_alone = runtime.now(), 0
    with runtime.db.read() as look:
        if look.execute(_ANY).first() is None:
            return None, 0
    while True:
        with runtime.db.write() as tx:
            opened = gate.current(tx, runtime.settings).value
            first = tx.execute(_first(opened), {"now": now}).first()
            if first is None or (first.created_at > now - GATHER and _more_to_come(tx)):
                return None, left_alone
            channel = runtime.channels.get(first.channel)
            most = channel.limits.many if channel is not None else 1
            like = {"now": now, "key": first.batch_key, "request": first.request_id, "most": most}
            rows = tx.execute(_alike(opened), like).all()
            useful = [row for row in rows if row.expires_at is None or row.expires_at > now]
            _skip(tx, [row.id for row in rows if row.expires_at is not None and row.expires_at <= now], now)
            if first.request_id is None:
                kept = pacing.keep(tx, runtime.content, [row for row in useful if row.kind is not None], now)
                useful, accompanied = _apart(tx, [row for row in useful if row.id not in kept], now)
                _leave_alone(tx, accompanied)
                left_alone += len(accompanied)
            if len(useful) > 1 or (useful and first.request_id is not None):
                return lease(runtime, tx, useful, first.channel, first.message, now), left_alone
            _leave_alone(tx, [row.id for row in useful])
            left_alone += len(useful)


def _apart(tx: Connection, rows: Sequence[Row[Any]], now: datetime) -> tuple[list[Row[Any]], Sequence[int]]:
    """Those that can leave with the others, and the ids of those that something else of the same person goes along with."""
    with_more = riding.accompanied(tx, [row.contact_id for row in rows], now)
    return [row for row in rows if row.contact_id not in with_more], [r.id for r in rows if r.contact_id in with_more]


_TIMED = OUTBOX.c.broadcast_id.is_(None)
"""Those of broadcasts: bot.fanout."""
_ANY = select(OUTBOX.c.id).where(batched(), _TIMED).limit(1)
_MORE = select(INBOX.c.id).where(waiting(), INBOX.c.kind == "reminder_due").limit(1)


def _more_to_come(tx: Connection) -> bool:
    return tx.execute(_MORE).first() is not None


@cache
def _first(opened: SendGate) -> Select[*tuple[Any, ...]]:
    columns = (OUTBOX.c[name] for name in ("channel", "message", "batch_key", "request_id", "created_at"))
    query = (
        select(*columns).where(batched(), _TIMED, outbox.may_leave(opened)).order_by(OUTBOX.c.not_before, OUTBOX.c.id)
    )
    return query.limit(1).with_for_update(of=OUTBOX, skip_locked=True)


@cache
def _alike(opened: SendGate) -> Select[*tuple[Any, ...]]:
    """Never tried ones with each other; tried ones with those they were tried with."""
    request = bindparam("request", type_=OUTBOX.c.request_id.type)
    fresh = and_(request.is_(None), OUTBOX.c.request_id.is_(None))
    same = and_(OUTBOX.c.batch_key == bindparam("key"), or_(fresh, OUTBOX.c.request_id == request))
    names = ("id", "contact_id", "user_id", "attempts", "request_id", "request_at", "expires_at", "kind")
    columns = (OUTBOX.c[name] for name in names)
    query = select(*columns).where(batched(), _TIMED, same, outbox.may_leave(opened))
    ordered = query.order_by(OUTBOX.c.not_before, OUTBOX.c.id).limit(bindparam("most"))
    return ordered.with_for_update(of=OUTBOX, skip_locked=True)


def _skip(tx: Connection, ids: Sequence[int], now: datetime) -> None:
    if ids:
        late = update(OUTBOX).where(OUTBOX.c.id.in_(ids))
        tx.execute(late.values(status=OutboxStatus.SKIPPED.value, error=outbox.TOO_LATE, done_at=now, lease_until=None))
        log.warning("messages_past_their_use", count=len(ids))


def _leave_alone(tx: Connection, ids: Sequence[int]) -> None:
    """From now on these are messages like any other."""
    if ids:
        tx.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(batch_key=None))


_LEASED = and_(
    OUTBOX.c.id == bindparam("outbox_id"),
    OUTBOX.c.attempts == bindparam("number"),
    OUTBOX.c.status == OutboxStatus.SENDING.value,
)
_LEASE = (
    update(OUTBOX)
    .where(OUTBOX.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        status=OutboxStatus.SENDING.value,
        attempts=OUTBOX.c.attempts + 1,
        lease_until=bindparam("until", type_=Utc),
        request_id=bindparam("request"),
        request_at=bindparam("requested", type_=Utc),
    )
)


def lease(
    runtime: Runtime, tx: Connection, rows: Sequence[Row[Any]], channel: str, message: str, now: datetime
) -> Batch:
    """The rows as one call, with the retry key that they have in common, or a new one."""
    request_id, request_at = rows[0].request_id, rows[0].request_at
    if request_id is None:
        request_id, request_at = str(runtime.new_uuid()), now
    shared = {"until": now + settlement.LEASE, "request": request_id, "requested": request_at}
    tx.execute(_LEASE, {"ids": [row.id for row in rows], **shared})
    members = tuple(Member(row.id, row.attempts + 1, row.user_id) for row in rows)
    return Batch(members, channel, message, request_id)


def send(runtime: Runtime, batch: Batch) -> None:
    """One call to the provider, outside any transaction, and its settlement."""
    settle(runtime, batch, _call(runtime, batch))


def _call(runtime: Runtime, batch: Batch) -> Receipt:
    channel = runtime.channels.get(batch.channel)
    if channel is None:
        return Receipt(Outcome.RETRY, error="channel_not_configured")
    if not isinstance(channel, SendsToMany):
        return Receipt(Outcome.REJECTED, error="one_address_a_call")  # each is tried alone then
    try:
        message = codec.message_from(batch.message)
        return channel.send_many([member.user_id for member in batch.members], message, batch.request_id)
    except Exception as error:  # a bug of ours: each is tried alone, and staff hears of those that fail
        log.error("send_many_raised", count=len(batch.members), error=error)
        return Receipt(Outcome.REJECTED, error=type(error).__name__)


_SENT = (
    update(OUTBOX)
    .where(OUTBOX.c.id.in_(bindparam("ids", expanding=True)), ahead())
    .values(status=OutboxStatus.SENT.value, billed=1, error="", done_at=bindparam("at", type_=Utc), lease_until=None)
)
_LATER = (
    update(OUTBOX)
    .where(_LEASED)
    .values(
        status=bindparam("ending"),
        not_before=bindparam("at", type_=Utc),
        lease_until=None,
        error=bindparam("reason"),
        doubt=OUTBOX.c.doubt + bindparam("doubts"),
    )
)
_ALONE = (
    update(OUTBOX)
    .where(_LEASED)
    .values(
        status=OutboxStatus.WAITING.value,
        not_before=bindparam("at", type_=Utc),
        lease_until=None,
        error=bindparam("reason"),
        batch_key=None,
        request_id=None,
        request_at=None,
        doubt=0,
    )
)
"""Refused is refused: had an earlier call arrived, the provider would have known its retry key again."""


def settle(runtime: Runtime, batch: Batch, receipt: Receipt) -> None:
    """Writes down the ending for every member, in one transaction. What a provider refuses for all may be wrong with one:
    then each is sent alone."""
    now = runtime.now()
    later = now + settlement.pause(runtime, batch.members[0].number, settlement.BACK_OFF_MOST, receipt)
    leases = [{"outbox_id": member.outbox_id, "number": member.number} for member in batch.members]
    match receipt.outcome:
        case Outcome.SENT:
            _write(runtime, _SENT, {"ids": [member.outbox_id for member in batch.members], "at": now})
        case Outcome.RETRY | Outcome.UNCERTAIN:
            doubts = int(receipt.outcome is Outcome.UNCERTAIN)
            ending = {"ending": OutboxStatus.WAITING.value, "at": later, "reason": receipt.error, "doubts": doubts}
            _write(runtime, _LATER, [{**lease, **ending} for lease in leases])
        case Outcome.NO_QUOTA:
            held = {"ending": OutboxStatus.HELD.value, "at": now + QUOTA_PAUSE, "reason": receipt.error, "doubts": 0}
            _write(runtime, _LATER, [{**lease, **held} for lease in leases])
        case Outcome.REJECTED | Outcome.UNREACHABLE:
            _write(runtime, _ALONE, [{**lease, "at": now, "reason": receipt.error} for lease in leases])
        case _:
            assert_never(receipt.outcome)
    ATTEMPTS.labels(batch.channel, receipt.outcome.value).inc()
    BILLED.labels(batch.channel).inc(receipt.billed if receipt.outcome is Outcome.SENT else 0)
    if receipt.outcome is not Outcome.SENT:
        log.warning("batch_not_sent", count=len(batch.members), outcome=receipt.outcome.value, error=receipt.error)


def _write(runtime: Runtime, statement: Update, rows: dict[str, Any] | list[dict[str, Any]]) -> None:
    runtime.db.together(lambda tx: tx.execute(statement, rows))

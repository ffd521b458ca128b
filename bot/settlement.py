"""What follows from the way an attempt to send ended: the table "Delivery" of bot/DESIGN.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, bindparam, update

from bot import alerts, contacts, outbox, riding
from bot.channels.base import Outcome, Receipt
from bot.messages import Priority
from bot.riding import Rider
from bot.runtime import Runtime
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import OUTBOX, Outbox, OutboxStatus, Utc, ahead

log = structlog.get_logger()

ATTEMPTS = Counter("delivery_attempts", "Attempts to send, by how they ended", ["channel", "outcome"])
BILLED = Counter("messages_billed", "Messages the provider charges for", ["channel"])

BACK_OFF_FIRST = 1.0
BACK_OFF_MOST = 60.0
"""Seconds between attempts; doubled each time, then cut by up to half at random."""

BACK_OFF_REPLY = 8.0
"""The most while a reply token lives: it is free, and it knows an earlier success."""

QUOTA_PAUSE = timedelta(hours=1)
"""How often a message that the allowance held back is tried: an operator may buy more at any hour."""

LEASE = timedelta(seconds=25)
"""How long a worker may be busy with one message before another takes it over. Longer than the slowest call (13 s with
LINE), shorter than a reply token's life, so that a dead worker's answers still leave for nothing."""

KEY_LIFE = timedelta(hours=24)
"""How long LINE knows a retry key again (Messaging API reference, "Retry an API request")."""

REPLY_REFUSED = "reply_token"
"""The error of a Receipt RETRY that says: this reply token is used or too old."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A leased message. `number` counts attempts from 1 and tells this lease from a later one. `doubt`: how many of the
    earlier attempts may have arrived. `reply_token` None: it goes as a push. `riders` are messages that go along: `message`
    holds all of it."""

    outbox_id: int
    number: int
    contact_id: int | None
    channel: str
    user_id: str
    message: str
    priority: int
    doubt: int
    request_id: str
    reply_token: str | None
    riders: tuple[Rider, ...] = ()

    @property
    def of_broadcast(self) -> bool:
        return self.priority == Priority.BROADCAST.rank

    @property
    def is_safety(self) -> bool:
        return self.priority == Priority.SAFETY.rank


def settle(runtime: Runtime, ended: Sequence[tuple[Attempt, Receipt]]) -> bool:
    """Writes down how attempts ended and what follows, in one transaction. Whether a next message may have waited for
    one of them."""
    now = runtime.now()

    def ending(tx: Connection) -> bool:
        _sent(tx, [(one, receipt) for one, receipt in ended if receipt.outcome is Outcome.SENT], now)
        for one, receipt in ended:
            if receipt.outcome is not Outcome.SENT:
                most = BACK_OFF_MOST if one.reply_token is None else BACK_OFF_REPLY
                later = now + pause(runtime, one.number, most, receipt)
                if one.riders and receipt.outcome is Outcome.REJECTED:
                    riding.part(tx, one.outbox_id, one.number, one.riders, receipt.error)
                    continue
                _follow(runtime.db, tx, one, receipt, now, later)
            _bring_along(tx, one, receipt, now)
        return bool(outbox.with_open(tx, [one.contact_id for one, _ in ended]))

    more = runtime.db.together(ending)
    for one, receipt in ended:
        ATTEMPTS.labels(one.channel, receipt.outcome.value).inc()
        BILLED.labels(one.channel).inc(receipt.billed if receipt.outcome is Outcome.SENT else 0)
        if receipt.outcome is not Outcome.SENT:
            log.warning("not_sent", outbox=one.outbox_id, outcome=receipt.outcome.value, error=receipt.error)
    return more


def _follow(db: Database, tx: Connection, one: Attempt, receipt: Receipt, now: datetime, later: datetime) -> None:
    match receipt.outcome:
        case Outcome.SENT:
            _sent(tx, [(one, receipt)], now)
        case Outcome.RETRY if receipt.error == REPLY_REFUSED and one.reply_token is not None:
            _token_refused(tx, one, now)
        case Outcome.RETRY:
            _again(tx, one, later, receipt.error)
        case Outcome.UNCERTAIN:
            _again(tx, one, later, receipt.error, doubt=one.doubt + 1)
        case Outcome.NO_QUOTA:
            _hold(db, tx, one, receipt, now)
        case Outcome.UNREACHABLE:
            if finish(tx, one, OutboxStatus.FAILED, now, receipt.error) and one.contact_id is not None:
                contacts.set_reachable(tx, one.contact_id, False, now)
                ring_if_safety(db, tx, one.outbox_id, one.contact_id, one.priority, "unreachable", now)
        case Outcome.REJECTED:
            failed = finish(tx, one, OutboxStatus.FAILED, now, receipt.error)
            if (
                failed and one.priority != Priority.BROADCAST.rank
            ):  # a broadcast that fails says so itself, once for all
                urgency = alerts.PHONE if one.is_safety else alerts.BROKEN
                _ring(db, tx, one.outbox_id, one.contact_id, urgency, "rejected", now)
        case _:
            assert_never(receipt.outcome)


def _bring_along(tx: Connection, one: Attempt, receipt: Receipt, now: datetime) -> None:
    if not one.riders:
        return
    match receipt.outcome:
        case Outcome.SENT:
            riding.arrived(tx, one.riders, now)
        case Outcome.UNREACHABLE | Outcome.REJECTED:
            riding.failed(tx, one.riders, now, receipt.error)
        case Outcome.RETRY | Outcome.UNCERTAIN | Outcome.NO_QUOTA:
            riding.again(tx, one.riders, receipt.error, int(receipt.outcome is Outcome.UNCERTAIN))
        case _:
            assert_never(receipt.outcome)


def finish(tx: Connection, one: Attempt, status: OutboxStatus, now: datetime, error: str = "") -> bool:
    """The end of a message. False when the lease was lost, or the contact erased, meanwhile."""
    row = update(Outbox).where(
        Outbox.id == one.outbox_id, Outbox.status == OutboxStatus.SENDING, Outbox.attempts == one.number
    )
    return bool(tx.execute(row.values(status=status, error=error, **final(one.contact_id, now))).rowcount)


def final(contact_id: int | None, now: datetime) -> dict[str, datetime | str | None]:
    """Columns of every message that is settled. An erased person's last message is emptied with its address."""
    values: dict[str, datetime | str | None] = {"done_at": now, "lease_until": None, "reply_token": None}
    if contact_id is None:
        values |= {"message": None, "user_id": ""}
    return values


def ring_if_safety(
    db: Database, tx: Connection, outbox_id: int, contact_id: int | None, priority: int, reason: str, now: datetime
) -> None:
    """A safety message that does not arrive: a person must phone."""
    if priority == Priority.SAFETY.rank:
        _ring(db, tx, outbox_id, contact_id, alerts.PHONE, reason, now)


_SENT = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox_id"), ahead())
    .values(
        status=OutboxStatus.SENT.value,
        provider_ids=bindparam("ids"),
        billed=bindparam("price"),
        error="",
        done_at=bindparam("now", type_=Utc),
        lease_until=None,
        reply_token=None,
    )
)


def _sent(tx: Connection, sent: Sequence[tuple[Attempt, Receipt]], now: datetime) -> None:
    # Even when the lease was lost: what arrived has arrived, and must not be sent again.
    rows = [
        {
            "outbox_id": one.outbox_id,
            "ids": codec.strings_json(receipt.provider_ids),
            "price": receipt.billed,
            "now": now,
        }
        for one, receipt in sent
    ]
    if rows:
        tx.execute(_SENT, rows)
    for one, _ in sent:
        if one.contact_id is None:
            tx.execute(update(Outbox).where(Outbox.id == one.outbox_id).values(**final(None, now)))


def _token_refused(tx: Connection, one: Attempt, now: datetime) -> None:
    """A token works once: refused after an attempt that may have arrived, it says that it did. Safety advice is worth
    arriving twice. Otherwise the token is dead and the message is pushed at once."""
    if one.doubt and not one.is_safety:
        finish(tx, one, OutboxStatus.SENT, now, "an earlier attempt arrived")
    else:
        _again(tx, one, now, REPLY_REFUSED, reply_token=None)


def _again(tx: Connection, one: Attempt, at: datetime, error: str, **more: int | None) -> None:
    row = update(Outbox).where(
        Outbox.id == one.outbox_id, Outbox.status == OutboxStatus.SENDING, Outbox.attempts == one.number
    )
    tx.execute(row.values(status=OutboxStatus.WAITING, not_before=at, lease_until=None, error=error, **more))


def _hold(db: Database, tx: Connection, one: Attempt, receipt: Receipt, now: datetime) -> None:
    row = update(Outbox).where(
        Outbox.id == one.outbox_id, Outbox.status == OutboxStatus.SENDING, Outbox.attempts == one.number
    )
    values = {"status": OutboxStatus.HELD, "not_before": now + QUOTA_PAUSE, "lease_until": None}
    if tx.execute(row.values(**values, error=receipt.error)).rowcount:
        ring_if_safety(db, tx, one.outbox_id, one.contact_id, one.priority, "no_quota", now)


def _ring(
    db: Database, tx: Connection, outbox_id: int, contact_id: int | None, urgency: str, reason: str, now: datetime
) -> None:
    if contact_id is None:
        return  # erased: nobody is left to be looked after
    alerts.open_alert(
        db,
        tx,
        contact_id=contact_id,
        urgency=urgency,
        flags=(reason,),
        origin="delivery",
        dedupe_key=f"outbox:{outbox_id}:{reason}",
        now=now,
    )


def pause(runtime: Runtime, number: int, most: float, receipt: Receipt) -> timedelta:
    """How long to wait after attempt `number`; at most `most` seconds, unless the provider named more."""
    seconds = min(BACK_OFF_FIRST * 2 ** min(number - 1, 16), most)
    seconds *= 1 - runtime.random() / 2
    return timedelta(seconds=max(seconds, receipt.retry_after or 0.0))

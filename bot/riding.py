"""Messages to one person that leave along with another: with an answer, which is free, or in one push, which is billed once.
Each stays a message of its own, so that none is lost when the call fails, and each has the ending of the one it went with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from prometheus_client import Counter
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from bot.messages import MAX_PARTS, Message, Part, Pushed
from bot.store import codec
from bot.store.tables import OUTBOX, OutboxStatus, Utc, ahead

RODE = Counter("messages_rode", "Messages that went along with another and cost nothing", ["kind"])


ASKED = "asked"
"""In the place of a kind: the patient asked for it at that hour."""


@dataclass(frozen=True, slots=True)
class Rider:
    """A message that goes along. `number` tells this lease from a later one."""

    outbox_id: int
    number: int
    kind: str


def company(tx: Connection, people: Sequence[int], now: datetime) -> Sequence[Row[Any]]:
    """What of these contacts may leave along with something, by contact, the oldest first. Nothing that is being sent, or
    that was sent alone and may have arrived."""
    return tx.execute(_COMPANY, {"people": sorted(people), "now": now}).all()


def accompanied(tx: Connection, people: Sequence[int], now: datetime) -> frozenset[int]:
    """Those contacts of whom more than one message may leave along with another."""
    return frozenset(tx.execute(_ACCOMPANIED, {"people": sorted(people), "now": now}).scalars())


_MAY_RIDE = and_(
    OUTBOX.c.contact_id.in_(bindparam("people", expanding=True)),
    OUTBOX.c.status == literal_column("'waiting'"),
    OUTBOX.c.ride_from <= bindparam("now", type_=Utc),
    or_(OUTBOX.c.expires_at.is_(None), OUTBOX.c.expires_at > bindparam("now", type_=Utc)),
    or_(OUTBOX.c.request_id.is_(None), OUTBOX.c.carrier_id.is_not(None)),
)
_ACCOMPANIED = select(OUTBOX.c.contact_id).where(_MAY_RIDE).group_by(OUTBOX.c.contact_id).having(func.count() > 1)
_COMPANY = (
    select(*(OUTBOX.c[name] for name in ("id", "contact_id", "message", "attempts", "kind", "carrier_id")))
    .where(_MAY_RIDE)
    .order_by(OUTBOX.c.contact_id, OUTBOX.c.id)
    .with_for_update(skip_locked=True)
)


def board(
    carrier_id: int, kind: str | None, message: Message, waiting: Sequence[Row[Any]]
) -> tuple[Message, tuple[Rider, ...]]:
    """The message, of that kind, with as many of those that wait as it has room for, the most important first. Those who began with it come with it again. Only one
    of them may have quick answers: they stand under the last part."""
    room, quick = MAX_PARTS - len(message.parts), message.quick
    said: list[tuple[int, tuple[Part, ...]]] = [(_rank(kind), message.parts)]
    riders: list[Rider] = []
    for row in sorted(waiting, key=lambda row: row.carrier_id != carrier_id):
        if row.id == carrier_id or row.carrier_id not in (None, carrier_id):
            continue
        other = codec.message_from(row.message)
        if len(other.parts) > room or (quick and other.quick):
            continue
        room, quick = room - len(other.parts), quick or other.quick
        said.append((_rank(row.kind), other.parts))
        riders.append(Rider(row.id, row.attempts + 1, row.kind or ASKED))
    parts = tuple(part for _, some in sorted(said, key=lambda one: one[0]) for part in some)
    return Message(parts, quick, message.safety), tuple(riders)


def _rank(kind: str | None) -> int:
    """What was asked for first, then by importance."""
    kinds: tuple[str, ...] = get_args(Pushed)
    return kinds.index(kind) if kind in kinds else -1


_BOARD = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox_id"))
    .values(
        status=OutboxStatus.SENDING.value,
        attempts=bindparam("number"),
        lease_until=bindparam("until", type_=Utc),
        request_id=bindparam("request"),
        request_at=bindparam("requested", type_=Utc),
        carrier_id=bindparam("carrier"),
    )
)


def lease(tx: Connection, riders: Sequence[Rider], carrier_id: int, shared: Mapping[str, object]) -> None:
    """`shared` is `until`, `request` and `requested` of the one they go with."""
    rows = [{"outbox_id": r.outbox_id, "number": r.number, "carrier": carrier_id, **shared} for r in riders]
    tx.execute(_BOARD, rows)


_MINE = and_(
    OUTBOX.c.id == bindparam("outbox_id"),
    OUTBOX.c.attempts == bindparam("number"),
    OUTBOX.c.status == OutboxStatus.SENDING.value,
)
_ARRIVED = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox_id"), ahead(), OUTBOX.c.carrier_id.is_not(None))
    .values(status=OutboxStatus.SENT.value, error="", done_at=bindparam("at", type_=Utc), lease_until=None)
)
_FAILED = (
    update(OUTBOX)
    .where(_MINE)
    .values(
        status=OutboxStatus.FAILED.value,
        error=bindparam("reason"),
        done_at=bindparam("at", type_=Utc),
        lease_until=None,
    )
)
_AGAIN = (
    update(OUTBOX)
    .where(_MINE)
    .values(
        status=OutboxStatus.WAITING.value,
        error=bindparam("reason"),
        lease_until=None,
        doubt=OUTBOX.c.doubt + bindparam("doubts"),
    )
)
_ALIGHT = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("outbox_id"), OUTBOX.c.attempts == bindparam("number"))
    .values(
        status=OutboxStatus.WAITING.value,
        error=bindparam("reason"),
        lease_until=None,
        request_id=None,
        request_at=None,
        carrier_id=None,
        ride_from=None,
        alone=True,
        batch_key=None,
        doubt=0,
    )
)


def _leases(riders: Sequence[Rider]) -> list[dict[str, Any]]:
    return [{"outbox_id": rider.outbox_id, "number": rider.number} for rider in riders]


def arrived(tx: Connection, riders: Sequence[Rider], now: datetime) -> None:
    """They arrived with the one they went with, at its price, even when the lease was lost."""
    tx.execute(_ARRIVED, [{"outbox_id": rider.outbox_id, "at": now} for rider in riders])
    for rider in riders:
        RODE.labels(rider.kind).inc()


def failed(tx: Connection, riders: Sequence[Rider], now: datetime, error: str) -> None:
    """There is nobody at the address."""
    tx.execute(_FAILED, [{**row, "reason": error, "at": now} for row in _leases(riders)])


def again(tx: Connection, riders: Sequence[Rider], error: str, doubts: int) -> None:
    """They wait, to go with the same one."""
    tx.execute(_AGAIN, [{**row, "reason": error, "doubts": doubts} for row in _leases(riders)])


def part(tx: Connection, outbox_id: int, number: int, riders: Sequence[Rider], error: str) -> None:
    """Refused together: it may be wrong with one of them only, so from now on each goes alone. Refused is refused: had an
    earlier call arrived, the provider would have known its retry key again."""
    rows = [{"outbox_id": outbox_id, "number": number}, *_leases(riders)]
    tx.execute(_ALIGHT, [{**row, "reason": error} for row in rows])


_LEFT = and_(OUTBOX.c.carrier_id.is_not(None), OUTBOX.c.status == literal_column("'waiting'"))


def _carrier(*statuses: str) -> ColumnElement[bool]:
    carrier = OUTBOX.alias()
    return exists().where(carrier.c.id == OUTBOX.c.carrier_id, carrier.c.status.in_(statuses))


_UNDER_WAY = _carrier("waiting", "held", "sending")
STRANDED = select(OUTBOX.c.id).where(_LEFT, ~_UNDER_WAY).limit(1)
"""Whether any waits for a carrier that is settled."""


def free(tx: Connection) -> None:
    """Those whose carrier was settled without them leave on their own, unless they may have arrived with it."""
    left = update(OUTBOX).where(_LEFT, ~_UNDER_WAY)
    doubtful = left.where(OUTBOX.c.doubt > 0)
    tx.execute(doubtful.values(status=OutboxStatus.UNCERTAIN.value, lease_until=None))
    tx.execute(left.values(carrier_id=None, request_id=None, request_at=None))

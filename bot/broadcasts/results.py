"""What is known of a broadcast: what it is, how far it has come, and how it ended for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from bot import audience, taps
from bot.audience import Audience
from bot.broadcasts.letter import Bilingual
from bot.messages import Choice
from bot.outbox import TOO_LATE
from bot.store import codec
from bot.store.tables import BROADCAST, BroadcastStatus, Outbox, OutboxStatus
from bot.taps import Tapped


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One of them as it stands. `expected` is the number that was typed to start it. `reason` says why it rests."""

    id: int
    title: str
    letter: Bilingual
    audience: Audience
    status: BroadcastStatus
    reason: str
    written_by: str
    approved_by: str | None
    expected: int | None
    created_at: datetime
    start_at: datetime | None
    begun_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """People. `looked_at` = `sent` + `waiting` + `left_out` + `failed` + `uncertain` + `erased`, always. `left_out` names why,
    at the time when it was written or when it was to leave. `failed` names what the provider said. `erased` had it, and had
    everything about them deleted since. `share` is how much of the audience was settled, 0 to 1."""

    looked_at: int
    sent: int
    waiting: int
    left_out: Mapping[str, int]
    failed: Mapping[str, int]
    uncertain: int
    erased: int
    share: float


@dataclass(frozen=True, slots=True)
class ButtonTaps:
    """One button, as it reads in Japanese, and how often it was tapped."""

    button: Choice
    tapped: Tapped


def find(tx: Connection, broadcast_id: int) -> Broadcast | None:
    """None when there is no such broadcast."""
    row = tx.execute(select(BROADCAST).where(BROADCAST.c.id == broadcast_id)).first()
    return None if row is None else _broadcast(row)


def latest(tx: Connection, most: int, before: int | None = None) -> Sequence[Broadcast]:
    """The newest first; those with ids below `before`."""
    query = select(BROADCAST).order_by(BROADCAST.c.id.desc()).limit(most)
    return [_broadcast(row) for row in tx.execute(query if before is None else query.where(BROADCAST.c.id < before))]


def _broadcast(row: Row[*tuple[Any, ...]]) -> Broadcast:
    return Broadcast(
        id=row.id,
        title=row.title,
        letter=codec.bilingual_from(row.message),
        audience=audience.from_json(row.audience),
        status=BroadcastStatus(row.status),
        reason=row.reason,
        written_by=row.written_by,
        approved_by=row.approved_by,
        expected=row.expected,
        created_at=row.created_at,
        start_at=row.start_at,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
    )


_SAME = {
    "held": audience.Bar.FLAGGED.value,
    "unreachable": audience.Bar.BLOCKED.value,
    "workspace_gone": audience.Bar.BLOCKED.value,
}
"""Messages taken back by the turn that flagged their contact, or when the contact left, under the name that is known."""


def progress(tx: Connection, broadcast_id: int) -> Progress:
    """How far it is. Raises LookupError for a broadcast that is none."""
    row = tx.execute(select(BROADCAST).where(BROADCAST.c.id == broadcast_id)).first()
    if row is None:
        raise LookupError(broadcast_id)
    left_out, failed = dict(codec.counts_from(row.skipped)), dict[str, int]()
    looked_at = row.put + sum(left_out.values())
    sent = waiting = uncertain = 0
    found = _endings(tx, broadcast_id)
    for (status, error), number in found.items():
        match OutboxStatus(status):
            case OutboxStatus.SENT:
                sent += number
            case OutboxStatus.WAITING | OutboxStatus.HELD | OutboxStatus.SENDING:
                waiting += number
            case OutboxStatus.UNCERTAIN:
                uncertain += number
            case OutboxStatus.FAILED:
                failed[error] = failed.get(error, 0) + number
            case OutboxStatus.CANCELLED | OutboxStatus.SKIPPED:
                why = _SAME.get(error, error)
                left_out[why] = left_out.get(why, 0) + number
    return Progress(
        looked_at=looked_at,
        sent=sent,
        waiting=waiting,
        left_out=left_out,
        failed=failed,
        uncertain=uncertain,
        erased=row.put - sum(found.values()),
        share=_share(row, looked_at, waiting),
    )


def _share(row: Row[*tuple[Any, ...]], looked_at: int, waiting: int) -> float:
    """By the number that was typed; those left out were looked at as well, so it may stand at the end for a moment."""
    if row.status == BroadcastStatus.DONE:
        return 1.0
    settled = row.put - waiting
    return min(1.0, settled / row.expected) if row.expected else 0.0


def _endings(tx: Connection, broadcast_id: int) -> Mapping[tuple[str, str], int]:
    """By status and reason. The two that most have are counted from the index alone."""
    mine = Outbox.broadcast_id == broadcast_id
    by_status = select(Outbox.status, func.count()).where(mine).group_by(Outbox.status)
    counted: dict[tuple[str, str], int] = {}
    for status, number in tx.execute(by_status):
        if status not in _NAMED:
            counted[status, ""] = number
    named = select(Outbox.status, Outbox.error, func.count()).where(mine, Outbox.status.in_(_NAMED))
    for status, error, number in tx.execute(named.group_by(Outbox.status, Outbox.error)):
        counted[status, error or TOO_LATE] = number
    return counted


_NAMED = (OutboxStatus.FAILED.value, OutboxStatus.CANCELLED.value, OutboxStatus.SKIPPED.value)


def button_taps(tx: Connection, broadcast: Broadcast) -> Sequence[ButtonTaps]:
    """Every button in its order, tapped or not."""
    found = taps.tallied(tx, broadcast.id)
    buttons = enumerate(taps.buttons(broadcast.letter["ja"]))
    return [ButtonTaps(button, found.get(number, Tapped(0, 0))) for number, button in buttons]

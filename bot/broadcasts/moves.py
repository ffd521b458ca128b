"""What may become of a broadcast: every move there is, in one mapping."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, update

from bot.store.tables import Broadcast, BroadcastStatus

DRAFT, SCHEDULED, SENDING = BroadcastStatus.DRAFT, BroadcastStatus.SCHEDULED, BroadcastStatus.SENDING
PAUSED, DONE, CANCELLED = BroadcastStatus.PAUSED, BroadcastStatus.DONE, BroadcastStatus.CANCELLED


class Move(StrEnum):
    """What staff does, and what the worker does: `start` when the hour has come, `pause` when it fails, `finish`."""

    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    CANCEL = "cancel"


AFTER: Mapping[Move, Mapping[BroadcastStatus, BroadcastStatus]] = MappingProxyType(
    {
        Move.SCHEDULE: {DRAFT: SCHEDULED},
        Move.UNSCHEDULE: {SCHEDULED: DRAFT},
        Move.START: {DRAFT: SENDING, SCHEDULED: SENDING},
        Move.PAUSE: {SENDING: PAUSED},
        Move.RESUME: {PAUSED: SENDING},
        Move.FINISH: {SENDING: DONE},
        Move.CANCEL: {DRAFT: CANCELLED, SCHEDULED: CANCELLED, SENDING: CANCELLED, PAUSED: CANCELLED},
    }
)


def possible(status: BroadcastStatus) -> frozenset[Move]:
    """The moves from there."""
    return frozenset(move for move, ways in AFTER.items() if status in ways)


def make(tx: Connection, broadcast_id: int, move: Move, now: datetime, **values: Any) -> bool:
    """Whether the move was possible, and made; `values` are set with it. Two who try at once: one of them made it."""
    for before, after in AFTER[move].items():
        this = update(Broadcast).where(Broadcast.id == broadcast_id, Broadcast.status == before.value)
        ends = {"ended_at": now} if after in (DONE, CANCELLED) else {}
        if tx.execute(this.values(status=after.value, **ends, **values)).rowcount:
            return True
    return False

"""When a broadcast stops by itself, and why."""

from typing import Any

from sqlalchemy import Connection, Row, func, select

from bot.store.tables import Outbox, OutboxStatus

NO_QUOTA = "no_quota"
"""The provider refuses: the month's allowance is used up. What is left of it is for safety and bookings."""

FAILURES = "failures"
"""Too many were refused: most likely something is wrong with the message itself."""

STUCK = "stuck"
"""The provider takes nothing although it was tried again and again."""

NIGHT = "night"
"""The quiet hours have begun; it goes on by itself when they end."""

STAFF = "staff"
"""Somebody pressed pause."""

FAILED_LEAST, FAILED_SHARE = 10, 0.1
"""Ten refusals that are a tenth of all so far. A few wrong addresses are in every list and no reason to stop; a message that
a provider refuses is refused for everybody, and then ten people are enough to know."""

STUCK_TRIES = 5
"""Tries of one message: they take half a minute (1, 2, 4, 8, 16 seconds), longer than a hiccup."""


def trouble(tx: Connection, broadcast: Row[*tuple[Any, ...]]) -> str | None:
    """The reason to pause it now; None while all is well. What failed before somebody let it go on counts no more."""
    mine = Outbox.broadcast_id == broadcast.id
    lately = Outbox.done_at >= (broadcast.resumed_at or broadcast.begun_at)
    waiting = mine, Outbox.status == OutboxStatus.WAITING, Outbox.attempts >= STUCK_TRIES, Outbox.error != ""
    if tx.execute(select(Outbox.id).where(mine, Outbox.status == OutboxStatus.HELD).limit(1)).first() is not None:
        return NO_QUOTA
    if tx.execute(select(Outbox.id).where(*waiting).limit(1)).first() is not None:
        return STUCK
    refused = select(func.count()).where(mine, Outbox.status == OutboxStatus.FAILED, lately)
    failed = tx.execute(refused).scalar_one()
    if failed >= FAILED_LEAST:
        settled = select(func.count()).where(mine, Outbox.status.in_((OutboxStatus.SENT, OutboxStatus.FAILED)), lately)
        if failed >= FAILED_SHARE * tx.execute(settled).scalar_one():
            return FAILURES
    return None

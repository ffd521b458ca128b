"""The next call of a broadcast that is being sent: one at a time, full ones first, and nobody in it to whom nothing may be
sent any more."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Connection, Row, Select, and_, bindparam, or_, select, update

from bot import audience, gate, multicast, outbox, settlement
from bot.audience import Bar
from bot.config import SendGate
from bot.multicast import Batch
from bot.runtime import Runtime
from bot.store.tables import BROADCAST, OUTBOX, BroadcastStatus, OutboxStatus, batched

log = structlog.get_logger()

OPEN_MOST = 1_500
"""Messages of a broadcast that stand in the outbox at once, at most: three full calls. It is its share: whatever the size of
the audience, an answer never looks past more than that, and a pause has no more than that to hold back. Of LINE's two
languages one always fills a call among them."""

PAGE = 250
"""People looked at in one transaction, written in some ten milliseconds, so that no turn waits long."""

TRIES = 3
"""How often a call is planned anew because something came between."""

Group = tuple[str, str | None]
"""What leaves together: the batch key, and the retry key of those that were tried together."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A call as it was found without a lock: outbox ids. `barred`: to be taken back on the way."""

    broadcast_id: int
    members: tuple[int, ...]
    barred: tuple[int, ...]


def claim(runtime: Runtime) -> Batch | None:
    """Leases the members of one call. Commits. None while a call of every broadcast is under way, and while more people for
    a full call are still being written. Whoever writes meanwhile waits only for the lease: who is in the call is found
    before, and looked at once more."""
    for _ in range(TRIES):
        now = runtime.now()
        with runtime.db.read() as look:
            plan = _plan(runtime, look, now)
        if plan is None:
            return None
        with runtime.db.write() as tx:
            batch = _take(runtime, tx, plan, now)
        if batch is not None:
            return batch
    return None


_MINE = OUTBOX.c.broadcast_id == bindparam("broadcast")
_UNDER_WAY = (
    select(OUTBOX.c.id)
    .where(
        _MINE,
        OUTBOX.c.batch_key.is_not(None),
        or_(
            OUTBOX.c.status == OutboxStatus.SENDING.value,
            and_(batched(), OUTBOX.c.request_id.is_not(None), OUTBOX.c.not_before > outbox.NOW),
        ),
    )
    .limit(1)
)
"""One that failed and is to be tried again keeps the others waiting, too: no provider in trouble is sent the rest."""
_SENDING = select(BROADCAST.c.id, (BROADCAST.c.cursor >= BROADCAST.c.upper_id).label("written")).where(
    BROADCAST.c.status == BroadcastStatus.SENDING.value
)
_NAMES = ("id", "contact_id", "user_id", "channel", "batch_key", "request_id", "attempts", "request_at")


@cache
def _waiting(opened: SendGate) -> Select[*tuple[Any, ...]]:
    query = select(*(OUTBOX.c[name] for name in _NAMES)).where(_MINE, batched(), outbox.may_leave(opened))
    return query.order_by(OUTBOX.c.id)


def _plan(runtime: Runtime, look: Connection, now: datetime) -> _Plan | None:
    opened = gate.current(look, runtime.settings).value
    for broadcast in look.execute(_SENDING.order_by(BROADCAST.c.id)).all():
        given = {"broadcast": broadcast.id, "now": now}
        if look.execute(_UNDER_WAY, given).first() is not None:
            continue
        rows = look.execute(_waiting(opened), given).all()
        barred = _barred(runtime, look, rows, now)
        groups: dict[Group, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            if row.id not in barred:
                groups[row.batch_key, row.request_id].append(row)
        channels = {key: runtime.channels.get(members[0].channel) for key, members in groups.items()}
        most = {key: channel.limits.many if channel else 1 for key, channel in channels.items()}
        key = _fullest(groups, most, bool(broadcast.written) or len(rows) > OPEN_MOST - PAGE)
        members = groups[key][: most[key]] if key is not None else []
        if members or barred:
            return _Plan(broadcast.id, tuple(row.id for row in members), tuple(barred))
    return None


def _take(runtime: Runtime, tx: Connection, plan: _Plan, now: datetime) -> Batch | None:
    """None when it is not as it was planned any more: then it is planned anew. The broadcast's row is locked: no second
    worker takes a call of it meanwhile, and a pause comes before or after this."""
    mine = _SENDING.where(BROADCAST.c.id == plan.broadcast_id).with_for_update(key_share=True, skip_locked=True)
    given = {"broadcast": plan.broadcast_id, "now": now}
    if tx.execute(mine).first() is None or tx.execute(_UNDER_WAY, given).first() is not None:
        return None
    planned = OUTBOX.c.id.in_(plan.members + plan.barred)
    found = _waiting(gate.current(tx, runtime.settings).value).where(planned)
    rows = tx.execute(found.with_for_update(of=OUTBOX, skip_locked=True), given).all()
    left_out = withhold(runtime, tx, rows, now) | _give_up(tx, rows, now)
    members = [row for row in rows if row.id in plan.members and row.id not in left_out]
    if not members or len(members) < len(plan.members):
        return None
    message = tx.execute(select(OUTBOX.c.message).where(OUTBOX.c.id == members[0].id)).scalar_one()
    return multicast.lease(runtime, tx, members, members[0].channel, message, now)


def _fullest(groups: Mapping[Group, Sequence[Row[Any]]], most: Mapping[Group, int], partly: bool) -> Group | None:
    """Those that were tried before come first; one that is not full only if it will not get fuller (`partly`)."""
    for group in groups:
        if group[1] is not None:
            return group
    full = [group for group, members in groups.items() if len(members) >= most[group]]
    if full or not partly:
        return full[0] if full else None
    return max(groups, key=lambda group: len(groups[group]), default=None)


def _give_up(tx: Connection, rows: Sequence[Row[Any]], now: datetime) -> Set[int]:
    """Those that may have arrived and whose retry key the provider does not know any more: again might be twice."""
    old = {row.id for row in rows if row.request_at is not None and row.request_at <= now - settlement.KEY_LIFE}
    if old:
        doubtful = update(OUTBOX).where(OUTBOX.c.id.in_(old), OUTBOX.c.doubt > 0)
        tx.execute(doubtful.values(status=OutboxStatus.UNCERTAIN.value, done_at=now, lease_until=None))
        surely_not = update(OUTBOX).where(OUTBOX.c.id.in_(old), OUTBOX.c.doubt == 0)
        tx.execute(surely_not.values(request_id=None, request_at=None))
    return old


def withhold(runtime: Runtime, tx: Connection, rows: Sequence[Row[Any]], now: datetime) -> Set[int]:
    """Takes back those of a broadcast's messages to whose contacts nothing may be sent any more. Their outbox ids."""
    barred = _barred(runtime, tx, rows, now)
    for reason in set(barred.values()):
        ids = [outbox_id for outbox_id, bar in barred.items() if bar is reason]
        taken = update(OUTBOX).where(OUTBOX.c.id.in_(ids))
        ending = {"status": OutboxStatus.CANCELLED.value, "error": reason.value, "done_at": now, "lease_until": None}
        tx.execute(taken.values(**ending))
        log.info("broadcast_withheld", count=len(ids), reason=reason.value)
    return barred.keys()


def _barred(runtime: Runtime, tx: Connection, rows: Sequence[Row[Any]], now: datetime) -> Mapping[int, Bar]:
    """By outbox id. A day is too full for those only that were not tried on it."""
    people = {row.contact_id for row in rows}
    found = audience.still_barred(tx, runtime.content, people, now) if people else {}
    barred = {row.id: found[row.contact_id] for row in rows if row.contact_id in found}
    tried = {row.id for row in rows if row.request_id is not None}
    return {outbox_id: bar for outbox_id, bar in barred.items() if bar is not Bar.DAY_FULL or outbox_id not in tried}

"""The send gate before everything that is pushed. It holds and never consumes: what waits at it leaves when it opens, or is
settled as skipped when its useful life ends first. Answers to somebody who just wrote pass it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from prometheus_client import Counter
from sqlalchemy import Connection, Executable, func, select

from bot import audit, outbox
from bot.config import SendGate, Settings
from bot.runtime import Runtime
from bot.store.session import Database
from bot.store.tables import GATE, OUTBOX, unsettled

SWITCHED = Counter("gate_switched", "Changes of the send gate by staff", ["to"])

ROW = 1
"""The table's only row."""


@dataclass(frozen=True, slots=True)
class Gate:
    """off: nothing is pushed; test: to test contacts only; on: to everybody. `by` and `since` are None while nobody has
    switched it: then the setting SEND_GATE holds."""

    value: SendGate
    by: str | None = None
    since: datetime | None = None


def current(tx: Connection, settings: Settings) -> Gate:
    """What staff chose last, or SEND_GATE."""
    row = tx.execute(_CURRENT).first()
    return Gate(settings.send_gate) if row is None else Gate(row.value, row.changed_by, row.changed_at)


_CURRENT = select(GATE.c.value, GATE.c.changed_by, GATE.c.changed_at).where(GATE.c.id == ROW)


def switch(runtime: Runtime, to: SendGate, actor: str) -> Gate:
    """From now on, in every process, for claims not made yet. `actor` is the staff name that the audit keeps. Commits,
    and wakes the workers when more may leave than before."""
    now = runtime.now()
    with runtime.db.write() as tx:
        before = current(tx, runtime.settings)
        tx.execute(_put(runtime.db), {"id": ROW, "value": to, "changed_by": actor, "changed_at": now})
        audit.note(tx, now, actor, "gate", None, {"from": before.value, "to": to})
    SWITCHED.labels(to).inc()
    runtime.wake()
    return Gate(to, actor, now)


@cache
def _put(db: Database) -> Executable:
    insert = db.insert(GATE)
    new = {name: insert.excluded[name] for name in ("value", "changed_by", "changed_at")}
    return insert.on_conflict_do_update(index_elements=["id"], set_=new)


def held(tx: Connection, gate: SendGate, now: datetime) -> int:
    """How many messages are due and wait at the gate."""
    due = select(func.count()).select_from(OUTBOX).where(unsettled(), OUTBOX.c.not_before <= outbox.NOW)
    found: int = tx.execute(due.where(~outbox.passes(gate)), {"now": now}).scalar_one()
    return found

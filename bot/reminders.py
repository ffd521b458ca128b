"""Reminders as rows: set, put off, held and ended in the turn that wants it, and swept into the inbox when they are due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Row, Select, and_, bindparam, insert, select, update

from bot import inbox
from bot.content.rules import ReminderRule, next_fire
from bot.messages import ReminderDue, ReminderKind
from bot.runtime import Runtime
from bot.store import codec
from bot.store.tables import CONTACT, REMINDER, Reminder, ReminderStatus, Utc, active

log = structlog.get_logger()

DUE = Counter("reminders_due", "Reminders that came due, by what became of them", ["result"])

SOURCE = "reminder"

BATCH = 500
"""Reminders a transaction, so that nobody's turn waits long."""


def put(tx: Connection, contact_id: int, kind: ReminderKind, rule: ReminderRule, next_at: datetime) -> None:
    """The contact's one reminder of this kind, held before or not."""
    values = {"rule": codec.rule_json(rule), "next_at": next_at, "status": ReminderStatus.ACTIVE}
    living = Reminder.status.in_((ReminderStatus.ACTIVE, ReminderStatus.HELD))
    mine = update(Reminder).where(Reminder.contact_id == contact_id, Reminder.kind == kind, living)
    if not tx.execute(mine.values(**values)).rowcount:
        tx.execute(insert(Reminder), {"contact_id": contact_id, "kind": kind, **values})


def postpone(tx: Connection, contact_id: int, kind: ReminderKind, until: datetime) -> None:
    """The next one comes at `until`, whatever the rule says."""
    tx.execute(update(Reminder).where(*_mine(contact_id), Reminder.kind == kind).values(next_at=until))


def end(tx: Connection, contact_id: int, kind: ReminderKind) -> None:
    """None of this kind any more."""
    living = Reminder.status.in_((ReminderStatus.ACTIVE, ReminderStatus.HELD))
    mine = update(Reminder).where(Reminder.contact_id == contact_id, Reminder.kind == kind, living)
    tx.execute(mine.values(status=ReminderStatus.ENDED))


def hold(tx: Connection, contact_id: int) -> None:
    """None of any kind until the patient begins again."""
    tx.execute(update(Reminder).where(*_mine(contact_id)).values(status=ReminderStatus.HELD))


def _mine(contact_id: int) -> tuple[Any, ...]:
    return (Reminder.contact_id == contact_id, Reminder.status == ReminderStatus.ACTIVE)


def sweep(runtime: Runtime, now: datetime) -> int:
    """Makes an inbox event of every reminder that is due and moves it on to its next time, a batch a transaction. One that
    is too late to be of use, or whose contact cannot be reached, is only moved on. How many were due."""
    total = 0
    while True:
        with runtime.db.read() as look:  # nearly always nothing is due: nobody waits for a lock then
            if look.execute(_ANY_DUE, {"now": now}).first() is None:
                return total
        with runtime.db.write() as tx:
            rows = tx.execute(_DUE, {"now": now, "most": BATCH}).all()
            if not rows:
                return total  # another worker has them in hand
            events = _move_on(runtime, tx, rows, now)
        DUE.labels("prompted").inc(len(events))
        DUE.labels("passed_over").inc(len(rows) - len(events))
        if len(rows) > len(events):
            log.warning("reminders_passed_over", count=len(rows) - len(events))
        total += len(rows)
        if events:
            runtime.wake()


_IS_DUE = and_(active(), REMINDER.c.next_at <= bindparam("now", type_=Utc))
_ANY_DUE = select(REMINDER.c.id).where(_IS_DUE).limit(1)
_DUE: Select[*tuple[Any, ...]] = (
    select(*(REMINDER.c[name] for name in ("id", "contact_id", "kind", "rule", "next_at")), CONTACT.c.reachable)
    .join(CONTACT, CONTACT.c.id == REMINDER.c.contact_id)
    .where(_IS_DUE)
    .order_by(REMINDER.c.next_at, REMINDER.c.id)
    .limit(bindparam("most"))
    .with_for_update(of=REMINDER, skip_locked=True)
)
_MOVE = update(REMINDER).where(REMINDER.c.id == bindparam("reminder_id")).values(next_at=bindparam("then"))


def _move_on(runtime: Runtime, tx: Connection, rows: Sequence[Row[Any]], now: datetime) -> list[inbox.Own]:
    reminders = runtime.content.reminders
    useful = timedelta(minutes=reminders.useful_minutes)
    known: dict[tuple[str, datetime], datetime] = {}
    on_rule: dict[tuple[str, datetime], bool] = {}
    events, moves = [], []
    for row in rows:
        expires = row.next_at + useful
        after = now if now < expires else now - useful  # after an outage today's may still be of use
        if (row.rule, after) not in known:
            known[row.rule, after] = next_fire(codec.rule_from(row.rule), after, reminders.quiet_hours)
        moves.append({"reminder_id": row.id, "then": known[row.rule, after]})
        if row.reachable and now < expires:
            event_id = f"reminder:{row.id}:{row.next_at.isoformat()}"
            if (row.rule, row.next_at) not in on_rule:
                before = row.next_at - timedelta(seconds=1)
                planned = next_fire(codec.rule_from(row.rule), before, reminders.quiet_hours)
                on_rule[row.rule, row.next_at] = planned == row.next_at
            due = ReminderDue(row.kind, row.next_at, expires, asked=not on_rule[row.rule, row.next_at])
            # In the queue it stands at the end of its useful life: nobody who writes waits behind 20,000 reminders.
            events.append(inbox.Own(SOURCE, event_id, row.contact_id, due, occurred_at=expires))
    if moves:
        tx.execute(_MOVE, moves)
    inbox.admit(runtime.db, tx, events, now)
    return events

"""How often anybody hears from us without having written first. Everything of that sort is put into the outbox here, and
judged when it is about to be pushed: it leaves, it moves, or it is skipped with its reason. Nothing is lost in silence, and
safety advice and answers never come by here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from prometheus_client import Counter
from sqlalchemy import ColumnElement, Connection, Executable, Row, ScalarSelect, bindparam, func, select, update

from bot import outbox
from bot.content.model import Content
from bot.content.rules import DAILY, QuietHours, ReminderRule, next_fire
from bot.messages import Message, Priority, Pushed
from bot.runtime import Runtime
from bot.store.tables import OUTBOX, REMINDER, OutboxStatus, Utc, active

PACED = Counter("messages_paced", "Messages that nobody asked for, held back for the day's sake", ["kind", "result"])

DAY_FULL = "day_full"
"""The reason on a message that is moved or skipped because the person heard from us often enough that day."""

WITH_CARE = "with_care"
"""The reason on a message that waits for the day's reminder, to leave along with it."""

AFTER_CARE = timedelta(minutes=10)
"""How long after the day's reminder a message that waited for it leaves alone, should that reminder not come."""


# --- in ---------------------------------------------------------------------------------------------------------------


def entry(
    runtime: Runtime,
    to: outbox.Address,
    message: Message,
    *,
    kind: Pushed | None,
    cause: str,
    dedupe_key: str,
    now: datetime,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    priority: Priority = Priority.TIMED,
) -> outbox.Entry:
    """A message that nobody waits for, to be put once per `dedupe_key`. `kind` None: the
    patient asked for it at this hour (a reminder put off), so no day is too full for it. What may wait leaves alone only when
    its wait is over, and stays of use for as long again as it was to be from then on."""
    begin, end = not_before or now, expires_at
    alone = begin
    if kind is not None and (pace := runtime.content.pacing.of(kind)).wait_minutes:
        alone = _awake(runtime.content, begin + timedelta(minutes=pace.wait_minutes))
        end = None if expires_at is None else alone + (expires_at - begin)
    channel = runtime.channels.get(to.channel)
    return outbox.Entry(
        to,
        message,
        cause=cause,
        dedupe_key=dedupe_key,
        priority=priority,
        not_before=alone,
        expires_at=end,
        together=channel is not None and channel.limits.many > 1,
        kind=kind,
        ride_from=min(begin, alone - timedelta(minutes=runtime.content.pacing.together_minutes)),
    )


def pass_over(tx: Connection, contact_id: int, kind: Pushed, reason: str, key: str, now: datetime) -> None:
    """Something was due and is not said: its row in the outbox says why."""
    outbox.note_skipped(tx, contact_id, kind, reason, key, now)
    PACED.labels(kind, f"skipped_{reason}").inc()


def _awake(content: Content, at: datetime) -> datetime:
    """`at`, or the end of the quiet hours in which it lies."""
    zone, quiet = ZoneInfo(content.clinic.time_zone), content.reminders.quiet_hours
    if not quiet.hold(at.astimezone(zone).time()):
        return at
    return next_fire(ReminderRule(quiet.ends, DAILY, zone.key), at, QuietHours(time(0), time(0)))


# --- out --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Later:
    """It is looked at again at `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    """It does not leave any more."""

    reason: str


Verdict = Later | Never


def judge(tx: Connection, content: Content, due: Sequence[Row[Any]], now: datetime) -> Mapping[int, Verdict]:
    """What becomes of those that may not leave now, by outbox id; the others may."""
    if not due:
        return {}
    zone = ZoneInfo(content.clinic.time_zone)
    local = now.astimezone(zone)
    began = datetime.combine(local.date(), time(0), zone)
    people = sorted({one.contact_id for one in due})
    pushed: dict[int, int] = dict(tx.execute(_PUSHED, {"people": people, "began": began}).all())
    others = sorted({one.contact_id for one in due if one.kind != "care"})
    soon = now + timedelta(minutes=content.pacing.together_minutes)
    care: dict[int, datetime] = (
        dict(tx.execute(_CARE, {"people": others, "now": now, "soon": soon}).all()) if others else {}
    )
    found: dict[int, Verdict] = {}
    for one in due:
        pace = content.pacing.of(one.kind)
        anchor = care.get(one.contact_id)
        if one.kind != "care" and anchor is not None and _useful(one, until := anchor + AFTER_CARE):
            found[one.id] = Later(until, WITH_CARE)
        elif pushed.get(one.contact_id, 0) >= pace.a_day:
            tomorrow = _awake(content, _a_day_later(local))
            moves = pace.moves and _useful(one, tomorrow)
            found[one.id] = Later(tomorrow, DAY_FULL) if moves else Never(DAY_FULL)
    return found


def _useful(one: Row[Any], at: datetime) -> bool:
    return one.expires_at is None or at < one.expires_at


def _a_day_later(local: datetime) -> datetime:
    """The same time on the wall."""
    return local + timedelta(days=1)


def pushed_today(content: Content, now: datetime, contact_id: ColumnElement[int]) -> ScalarSelect[int]:
    """How often that contact heard from us since the local day began, as a part of another query."""
    zone = ZoneInfo(content.clinic.time_zone)
    began = datetime.combine(now.astimezone(zone).date(), time(0), zone)
    return select(func.count()).where(OUTBOX.c.contact_id == contact_id, *_since(began)).scalar_subquery()


def _since(began: datetime | ColumnElement[datetime]) -> tuple[ColumnElement[bool], ...]:
    """Messages that left, or tried to, on their own since the day began: what went along with others cost no attention."""
    asked = OUTBOX.c.kind.is_not(None), OUTBOX.c.request_at >= began
    return (*asked, OUTBOX.c.carrier_id.is_(None), OUTBOX.c.status.not_in(_COUNTED))


_COUNTED = (OutboxStatus.SKIPPED.value, OutboxStatus.CANCELLED.value, OutboxStatus.FAILED.value)
_PUSHED = (
    select(OUTBOX.c.contact_id, func.count())
    .where(OUTBOX.c.contact_id.in_(bindparam("people", expanding=True)), *_since(bindparam("began", type_=Utc)))
    .group_by(OUTBOX.c.contact_id)
)

_CARE = (
    select(REMINDER.c.contact_id, func.min(REMINDER.c.next_at))
    .where(
        REMINDER.c.contact_id.in_(bindparam("people", expanding=True)),
        active(),
        REMINDER.c.kind == "care",
        REMINDER.c.next_at > bindparam("now", type_=Utc),
        REMINDER.c.next_at <= bindparam("soon", type_=Utc),
    )
    .group_by(REMINDER.c.contact_id)
)


def keep(tx: Connection, content: Content, due: Sequence[Row[Any]], now: datetime) -> Collection[int]:
    """Judges rows of the outbox that nobody asked for and that were never tried (`id`, `contact_id`, `kind`, `expires_at`),
    and writes down what may not leave now: the ids of those."""
    verdicts = judge(tx, content, due, now)
    _carry_out(tx, due, verdicts, now)
    return verdicts.keys()


def _carry_out(tx: Connection, due: Sequence[Row[Any]], verdicts: Mapping[int, Verdict], now: datetime) -> None:
    """Writes down what was judged."""
    for one in due:
        match verdicts.get(one.id):
            case None:
                continue
            case Later(until, reason):
                tx.execute(_later(), {"outbox_id": one.id, "until": until, "reason": reason})
                result = f"moved_{reason}"
            case Never(reason):
                tx.execute(_never(), {"outbox_id": one.id, "now": now, "reason": reason})
                result = f"skipped_{reason}"
            case other:
                assert_never(other)
        PACED.labels(one.kind, result).inc()


@cache
def _later() -> Executable:
    this = update(OUTBOX).where(OUTBOX.c.id == bindparam("outbox_id"))
    return this.values(not_before=bindparam("until", type_=Utc), error=bindparam("reason"))


@cache
def _never() -> Executable:
    this = update(OUTBOX).where(OUTBOX.c.id == bindparam("outbox_id"))
    skipped = OutboxStatus.SKIPPED.value
    return this.values(status=skipped, error=bindparam("reason"), done_at=bindparam("now", type_=Utc), lease_until=None)

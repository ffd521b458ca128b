"""What would go to whom in the days to come: the real scheduler, engine and delivery, on a copy of the database, with a clock
that jumps from one due moment to the next and a provider that takes everything. Nobody writes to us in it."""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, assert_never
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, Select, event, func, insert, select

from bot import gate
from bot.channels.base import Delivery, Limits, Outcome, Receipt
from bot.content.model import Content
from bot.messages import Card, Carousel, Message, Picture, Words
from bot.runtime import Runtime, Wake
from bot.store import codec, migrate
from bot.store.session import Database, open_database
from bot.store.tables import (
    BOOKING,
    BROADCAST,
    CONTACT,
    INBOX,
    OUTBOX,
    REMINDER,
    Base,
    BroadcastStatus,
    OutboxStatus,
    ReminderStatus,
    unsettled,
    waiting,
)

MONTH = timedelta(days=30)
"""What a plan's price is for."""

ROWS = 2_000
"""Rows copied at once from PostgreSQL."""

WORDS = 40
"""Letters of a message that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message at one moment: `way` is how it left or why not. `kind` "" is an answer that had not left yet."""

    at: datetime
    contact_id: int | None
    kind: str
    way: str
    why: str
    words: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """From `begin` on for `span`. `pushes` are those that the provider bills, `waiting` what was not settled. `unreachable` have a reminder that comes to
    nothing, because they take no messages."""

    begin: datetime
    span: timedelta
    gate: gate.Gate
    lines: Sequence[Line]
    pushes: int
    waiting: int
    unreachable: Sequence[int]

    @property
    def pushes_a_month(self) -> int:
        """As many as it would be in thirty days."""
        return round(self.pushes * (MONTH / self.span))


def look_ahead(runtime: Runtime, drain: Callable[[Runtime], None], span: timedelta) -> Forecast:
    """Runs `span` from now. `drain` does everything that is due, as a worker would. The runtime's own database is only
    read; the copy is deleted at the end."""
    begin = runtime.now()
    with _copy(runtime.db) as db:
        clock = _Clock(begin)
        channels = {name: _Paper(name, limits) for name, limits in _limits(runtime, db).items()}
        there = replace(runtime, db=db, channels=channels, now=clock, new_uuid=uuid4, wake=Wake())
        drain(there)
        while (due := _next_due(db, clock.at)) <= begin + span:
            clock.at = due
            drain(there)
        with db.read() as look:
            opened = gate.current(look, runtime.settings)
            told, billed = lines(look, begin), _billed(look, begin)
            left = look.execute(select(func.count()).where(unsettled())).scalar_one()
            return Forecast(begin, span, opened, told, billed, left, _unreachable(look))


class _Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class _Paper:
    """A provider that takes everything. Only LINE bills what is pushed."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self._price = int(name == "line")

    def send(self, delivery: Delivery) -> Receipt:
        return Receipt(Outcome.SENT, billed=self._price if delivery.reply_token is None else 0)

    def send_many(self, user_ids: Sequence[str], message: Message, request_id: str) -> Receipt:
        return Receipt(Outcome.SENT, billed=self._price * len(user_ids))


MANY = {"line": 500}
"""Addresses of one call, for a channel that this installation has contacts of but no settings for."""


def _limits(runtime: Runtime, db: Database) -> Mapping[str, Limits]:
    with db.read() as look:
        names = look.execute(select(CONTACT.c.channel).distinct()).scalars().all()
    known = {name: channel.limits for name, channel in runtime.channels.items()}
    return {name: known.get(name) or Limits(many=MANY.get(name, 1), rate=1) for name in names}


# --- a copy -----------------------------------------------------------------------------------------------------------


@contextmanager
def _copy(db: Database) -> Iterator[Database]:
    """A database of its own with the same rows. Nothing in it need outlive the process."""
    with tempfile.TemporaryDirectory(prefix="forecast-") as folder:
        path = Path(folder) / "copy.db"
        if db.is_sqlite:
            _back_up(db, path)
        copy = open_database(f"sqlite:///{path}")
        event.listen(copy.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        try:
            if not db.is_sqlite:
                migrate.upgrade(copy)
                _copy_rows(db, copy)
            yield copy
        finally:
            copy.close()


def _back_up(db: Database, path: Path) -> None:
    source = db.engine.raw_connection()
    try:
        with sqlite3.connect(path) as target:
            assert isinstance(source.driver_connection, sqlite3.Connection)
            source.driver_connection.backup(target)
        target.close()
    finally:
        source.close()


def _copy_rows(db: Database, copy: Database) -> None:
    """As they are at one moment."""
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as look, copy.write() as tx:
        for table in Base.metadata.sorted_tables:
            found = look.execution_options(yield_per=ROWS).execute(select(table))
            for rows in found.partitions(ROWS):
                tx.execute(insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])


# --- what happens, and when -------------------------------------------------------------------------------------------


def _later(column: ColumnElement[datetime], after: datetime, *those: ColumnElement[bool]) -> Select[datetime]:
    return select(func.min(column)).where(column > after, *those)


def _next_due(db: Database, after: datetime) -> datetime:
    """The next moment at which anything is due that was not due before, at the latest the next full hour: what ends with the
    night has no row that says so."""
    active = REMINDER.c.status == ReminderStatus.ACTIVE
    moments = (
        _later(REMINDER.c.next_at, after, active),
        _later(OUTBOX.c.not_before, after, unsettled()),
        _later(INBOX.c.not_before, after, waiting()),
        _later(BOOKING.c.due_at, after),
        _later(BROADCAST.c.start_at, after, BROADCAST.c.status == BroadcastStatus.SCHEDULED),
    )
    with db.read() as look:
        found: list[datetime | None] = [look.execute(moment).scalar() for moment in moments]
    hour = after.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return min([hour, *(moment for moment in found if moment is not None)])


def lines(look: Connection, since: datetime) -> Sequence[Line]:
    """What became of every message that was settled since then, in the order of time, contact and id. It tells of a
    forecast's copy and of a real database in the same words."""
    query = select(OUTBOX).where(OUTBOX.c.done_at >= since, OUTBOX.c.status != OutboxStatus.CANCELLED)
    rows = look.execute(query.order_by(OUTBOX.c.done_at, OUTBOX.c.contact_id, OUTBOX.c.id)).all()
    return [
        Line(row.done_at, row.contact_id, row.kind or "", _way(row), _why(row), _shown(row.message)) for row in rows
    ]


def _way(row: Row[Any]) -> str:
    if row.status != OutboxStatus.SENT:
        return str(row.status)
    if row.carrier_id is not None:
        return "along"
    return "reply" if row.reply_expires_at is not None and not row.billed else "push"


def _why(row: Row[Any]) -> str:
    if row.status != OutboxStatus.SENT:
        return str(row.error)
    waited = row.done_at - row.created_at
    return f"waited {waited // timedelta(minutes=1)} min" if waited >= timedelta(minutes=1) else ""


def _shown(message: str | None) -> str:
    """The beginning of the first words; "" where nothing was to be said."""
    if message is None:
        return ""
    for part in codec.message_from(message).parts:
        match part:
            case Words(text):
                return text[:WORDS]
            case Card(title, text):
                return (text or title)[:WORDS]
            case Carousel(cards):
                return cards[0].title[:WORDS]
            case Picture():
                continue
            case _:
                assert_never(part)
    return ""


def _billed(look: Connection, since: datetime) -> int:
    found = look.execute(select(func.sum(OUTBOX.c.billed)).where(OUTBOX.c.done_at >= since)).scalar()
    return int(found or 0)


def _unreachable(look: Connection) -> Sequence[int]:
    query = select(CONTACT.c.id).join(REMINDER, REMINDER.c.contact_id == CONTACT.c.id)
    silent = query.where(~CONTACT.c.reachable, REMINDER.c.status == ReminderStatus.ACTIVE)
    return look.execute(silent.distinct().order_by(CONTACT.c.id)).scalars().all()


# --- as text ----------------------------------------------------------------------------------------------------------


def render(forecast: Forecast, content: Content) -> Iterator[str]:
    """One line a message, local time, then the sums and what a month of it costs on each of LINE's plans."""
    zone = ZoneInfo(content.clinic.time_zone)
    for line in forecast.lines:
        who = "-" if line.contact_id is None else f"#{line.contact_id}"
        told = " ".join(part for part in (line.why and f"({line.why})", line.words) if part)
        yield f"{line.at.astimezone(zone):%Y-%m-%d %H:%M}  {who:>7}  {line.kind or 'asked':8} {line.way:9} {told}".rstrip()
    yield ""
    yield from _sums(forecast)
    pushes = forecast.pushes_a_month
    yield f"About {pushes:,} billed messages in thirty days, if nobody writes to us; who answers is reminded more often. LINE's plans:"
    for plan in content.pacing.plan:
        cost = plan.cost(pushes)
        price = f"{cost:,.0f} yen" if cost is not None else f"not enough: it carries {plan.messages:,}"
        yield f"  {plan.label.en} ({plan.label.ja}): {price} (without tax; prices of {plan.checked_on})"


def _sums(forecast: Forecast) -> Iterator[str]:
    days = forecast.span / timedelta(days=1)
    ways = Counter(line.way for line in forecast.lines)
    sums = ", ".join(f"{count:,} {way}" for way, count in ways.most_common()) or "nothing"
    yield f"{days:g} days from {forecast.begin:%Y-%m-%d %H:%M} UTC: {sums}."
    reasons = Counter(line.why for line in forecast.lines if line.way == OutboxStatus.SKIPPED)
    if reasons:
        yield "Skipped: " + ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common()) + "."
    if forecast.waiting:
        yield f"Still waiting at the end: {forecast.waiting:,}."
    if forecast.unreachable:
        ids = ", ".join(f"#{contact_id}" for contact_id in forecast.unreachable)
        yield f"Nothing goes to those who take no messages: {ids}."
    if forecast.gate.value != "on":
        yield f"The send gate is {forecast.gate.value}: what it holds is not in this list."

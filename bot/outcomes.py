"""What has come of it, counted by the database: how far people get, where they leave, how they keep at it, how pain moves.

People are counted once, erased ones not at all; the staff's own test contacts and groups are nobody's outcome."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    exists,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bot.messages import Disposition
from bot.store.tables import CONTACT, OUTBOX, Asked, Booking, BookingStatus, Screening, Session, told

WEEK = timedelta(days=7)
WEEK_SECONDS = 7 * 24 * 60 * 60
WEEKS = 12
"""Weeks of the programme that are looked at."""

FOURTH = range(3 * WEEK_SECONDS, 4 * WEEK_SECONDS)
"""The fourth week, in seconds since somebody's first routine."""

LATER = range(WEEK_SECONDS, 100 * 366 * 24 * 60 * 60)
"""Any time but the first week."""

NOTICED = 2
"""Points of pain 0-10 that a patient notices (Ostelo 2008: minimal important change in low back pain)."""

STAFF = "staff"
"""The consent that lets staff see answers and records (content/flows/consents.toml)."""

DOCTOR_FIRST = (Disposition.EMERGENCY.value, Disposition.URGENT.value, Disposition.DOCTOR.value)

BOOKED = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.NO_SHOW)
"""Appointments that were made and not cancelled."""


class seconds(FunctionElement[int]):  # noqa: N801 - stands in queries like a function of SQL
    """A moment as whole seconds, so that both databases count days alike."""

    type = BigInteger()
    inherit_cache = True


@compiles(seconds, "sqlite")
def _sqlite_seconds(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


@compiles(seconds, "postgresql")
def _postgresql_seconds(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **options)})) AS BIGINT)"


@dataclass(frozen=True, slots=True)
class Funnel:
    """People at each stage; each stage counts only those of the stage before it. `held_back`: of the screened, those who did
    not begin because a doctor comes first. `due`: of those who began, those whose fourth week
    is over, so that `fourth_week` can be told. `booked` are of `fourth_week`, `booked_all` of everybody."""

    friends: int
    agreed: int
    screened: int
    held_back: int
    begun: int
    due: int
    fourth_week: int
    booked: int
    booked_all: int


@dataclass(frozen=True, slots=True)
class Question:
    """`left`: people whose last question of a screening it was, and who never came to a result; `lately` of those were asked
    in the last day and may go on."""

    node: str
    asked: int
    left: int
    lately: int


@dataclass(frozen=True, slots=True)
class Screenings:
    """People who were asked anything since `since` (None: nobody yet). Those `finished` and those who left at one of the
    questions are all of `begun`."""

    since: datetime | None
    begun: int
    questions: Sequence[Question]

    @property
    def finished(self) -> int:
        """Who came to a result."""
        return self.begun - sum(one.left for one in self.questions)


@dataclass(frozen=True, slots=True)
class Week:
    """The `number`th week since each one's first routine. `due`: people for whom it is over; `active` of those began a
    routine in it, `routines` in all."""

    number: int
    due: int
    active: int
    routines: int


@dataclass(frozen=True, slots=True)
class Change:
    """How many people's pain moved by how many points (0-10; negative: less pain)."""

    people: Mapping[int, int]

    @property
    def n(self) -> int:
        return sum(self.people.values())

    @property
    def mean(self) -> float:
        """Of at least one person."""
        return sum(points * count for points, count in self.people.items()) / self.n

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the sample; None for fewer than two people."""
        if self.n < 2:
            return None
        mean = self.mean
        return sqrt(sum(count * (points - mean) ** 2 for points, count in self.people.items()) / (self.n - 1))

    def share(self, part: float) -> int:
        """The change that this part of the people does not exceed: 0.5 is the (lower) median."""
        rank = max(1, -int(-part * self.n // 1))
        for points in sorted(self.people):
            rank -= self.people[points]
            if rank <= 0:
                return points
        raise ValueError("nobody")

    @property
    def better(self) -> int:
        """People whose pain fell by at least NOTICED."""
        return sum(count for points, count in self.people.items() if points <= -NOTICED)

    @property
    def worse(self) -> int:
        """People whose pain rose by at least NOTICED."""
        return sum(count for points, count in self.people.items() if points >= NOTICED)


@dataclass(frozen=True, slots=True)
class Spent:
    """Messages that LINE bills and people who began a routine, from `since` on."""

    since: datetime
    billed: int
    active: int


def _people(since: datetime | None) -> ColumnElement[bool]:
    """Patients who became friends from `since` on; None: ever."""
    initial = func.substr(CONTACT.c.user_id, 1, 1)
    group = or_(
        and_(CONTACT.c.channel == "line", initial.in_(("C", "R"))),
        and_(CONTACT.c.channel == "slack", or_(CONTACT.c.user_id.contains("/C"), CONTACT.c.user_id.contains("/G"))),
    )
    known = and_(CONTACT.c.state.is_not(None), not_(CONTACT.c.is_test), not_(group))
    return known if since is None else and_(known, CONTACT.c.created_at >= since)


def _first(since: datetime | None) -> Subquery:
    """Each patient's first routine."""
    begun = select(Session.contact_id, func.min(Session.started_at).label("at"))
    of = begun.join(CONTACT, CONTACT.c.id == Session.contact_id).where(Session.started_at.is_not(None), _people(since))
    return of.group_by(Session.contact_id).subquery("first")


def funnel(tx: Connection, now: datetime, since: datetime | None) -> Funnel:
    """Of patients who became friends from `since` on."""
    first = _first(since)
    screened = exists().where(Screening.contact_id == CONTACT.c.id)
    booked = exists().where(Booking.contact_id == CONTACT.c.id, Booking.status.in_(BOOKED))
    agreed = or_(CONTACT.c.consents["guidance"].as_string().is_not(None), screened)
    outcome = func.coalesce(
        CONTACT.c.state[("lock", "level")].as_string(), CONTACT.c.state[("screening", "outcome")].as_string(), ""
    )
    begun = and_(screened, first.c.at.is_not(None))
    due = and_(begun, first.c.at <= now - 4 * WEEK)
    after = seconds(Session.started_at) - seconds(first.c.at)
    fourth = and_(due, exists().where(Session.contact_id == CONTACT.c.id, after >= FOURTH.start, after < FOURTH.stop))
    stages = (
        agreed,
        screened,
        and_(screened, first.c.at.is_(None), outcome.in_(DOCTOR_FIRST)),
        begun,
        due,
        fourth,
        and_(fourth, booked),
        booked,
    )
    query = select(func.count(), *(func.sum(case((stage, 1), else_=0)) for stage in stages))
    row = tx.execute(
        query.select_from(CONTACT).outerjoin(first, first.c.contact_id == CONTACT.c.id).where(_people(since))
    ).one()
    return Funnel(*(int(count or 0) for count in row))


def screenings(tx: Connection, now: datetime, since: datetime | None) -> Screenings:
    """Of patients who became friends from `since` on. Questions in no particular order."""
    newer = select(Asked).subquery("newer")
    unfinished = not_(exists().where(Screening.contact_id == Asked.contact_id))
    last = not_(exists().where(newer.c.contact_id == Asked.contact_id, newer.c.turn > Asked.turn))
    left = and_(unfinished, last)
    lately = and_(left, Asked.asked_at > now - timedelta(days=1))
    own = select(Asked).join(CONTACT, CONTACT.c.id == Asked.contact_id).where(_people(since))
    counts = own.with_only_columns(
        Asked.question,
        func.count().label("asked"),
        _sum(left).label("left"),
        _sum(lately).label("lately"),
        func.min(Asked.first_at).label("since"),
    ).group_by(Asked.question)
    begun = tx.execute(own.with_only_columns(func.count(Asked.contact_id.distinct()))).scalar_one()
    rows = tx.execute(counts).all()
    return Screenings(
        min((row.since for row in rows), default=None),
        begun,
        [Question(row.question, row.asked, int(row.left), int(row.lately)) for row in rows],
    )


def weeks(tx: Connection, now: datetime, since: datetime | None) -> Sequence[Week]:
    """The first WEEKS weeks. A week counts only those for whom it is over."""
    first = _first(since)
    over = (_sum(first.c.at <= now - number * WEEK) for number in range(1, WEEKS + 1))
    due = [int(count or 0) for count in tx.execute(select(*over)).one()]
    number = ((seconds(Session.started_at) - seconds(first.c.at)) // WEEK_SECONDS).label("number")
    in_week = (
        select(Session.contact_id, number, first.c.at)
        .join(first, first.c.contact_id == Session.contact_id)
        .where(Session.started_at.is_not(None))
        .subquery("in_week")
    )
    ended = or_(*(and_(in_week.c.number == n, in_week.c.at <= now - (n + 1) * WEEK) for n in range(WEEKS)))
    query = select(in_week.c.number, func.count(in_week.c.contact_id.distinct()), func.count()).where(ended)
    found = {int(n): (active, routines) for n, active, routines in tx.execute(query.group_by(in_week.c.number))}
    return [Week(n + 1, due[n], *found.get(n, (0, 0))) for n in range(WEEKS)]


def change(tx: Connection, since: datetime | None, during: range) -> Change:
    """From the first pain told before a routine to the last one told `during` (seconds since the first). Only of those who
    agreed that staff may read their records."""
    agreed = CONTACT.c.consents[STAFF].as_string().is_not(None)
    at = seconds(Session.started_at)
    told_pain = (
        select(
            Session.contact_id,
            Session.id,
            (at - _first_value(at)).label("after"),
            (Session.pain_before - _first_value(Session.pain_before)).label("moved"),
        )
        .join(CONTACT, CONTACT.c.id == Session.contact_id)
        .where(_people(since), agreed, Session.started_at.is_not(None), Session.pain_before.is_not(None))
        .subquery("told_pain")
    )
    last = func.row_number().over(
        partition_by=told_pain.c.contact_id, order_by=(told_pain.c.after.desc(), told_pain.c.id.desc())
    )
    within = (
        select(told_pain.c.moved, last.label("back"))
        .where(told_pain.c.after >= during.start, told_pain.c.after < during.stop)
        .subquery("within")
    )
    rows = tx.execute(select(within.c.moved, func.count()).where(within.c.back == 1).group_by(within.c.moved))
    return Change({int(moved): count for moved, count in rows})


def _first_value(of: Any) -> ColumnElement[int]:
    """Of each patient's routines with pain told, that of the first."""
    found: ColumnElement[int] = func.first_value(of).over(
        partition_by=Session.contact_id, order_by=(Session.started_at, Session.id)
    )
    return found


def spent(tx: Connection, begins: datetime, ends: datetime) -> Spent:
    """From `begins` until before `ends`, test contacts' messages among what was billed: LINE charges for those, too."""
    during: Iterable[ColumnElement[bool]] = (OUTBOX.c.done_at >= begins, OUTBOX.c.done_at < ends)
    billed = select(func.coalesce(func.sum(OUTBOX.c.billed), 0)).where(told(), *during, OUTBOX.c.channel == "line")
    cared = select(func.count(Session.contact_id.distinct())).join(CONTACT, CONTACT.c.id == Session.contact_id)
    active = cared.where(Session.started_at >= begins, Session.started_at < ends, _people(None))
    return Spent(begins, int(tx.execute(billed).scalar_one()), tx.execute(active).scalar_one())


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    found: ColumnElement[int] = func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
    return found

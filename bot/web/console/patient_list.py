"""Which patients a list shows: search, filters, and pages that stay put while people come and go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from bot.messages import Disposition
from bot.store.tables import CONTACT, Contact, Session, Tag
from bot.web.console.people import PERSON, STAFF, Person, person

ROWS = 50
CSV_ROWS = 20_000
"""Lines of a file: more than a table program opens with ease."""

OFTEN, SOME = 7, 1
"""Routines begun in FORTNIGHT: every other day and more, or any at all."""

FORTNIGHT = timedelta(days=14)
TREND = timedelta(days=28)
MOVED = 2
"""Points of pain 0-10 that a patient notices (Ostelo 2008: minimal important change in low back pain)."""

SEEN = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class Filters:
    """What was chosen; empty is everything. `seen` is a key of SEEN, or "longer" for those silent for longer than any;
    `label` a word that staff put on people."""

    search: str = ""
    channel: str = ""
    disposition: str = ""
    routine: str = ""
    seen: str = ""
    adherence: str = ""
    trend: str = ""
    tag: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list. What staff may not read of a patient is None. `sessions` is of FORTNIGHT, `pain` the last and how it
    moved since TREND."""

    who: Person
    seen_at: datetime
    reachable: bool
    is_test: bool
    disposition: str | None
    routine: str | None
    sessions: int | None
    pain: int | None
    moved: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the list; `after` leads to the next one."""

    rows: Sequence[Listed]
    after: str | None


def find(tx: Connection, filters: Filters, now: datetime, after: str = "", rows: int = ROWS) -> Found:
    """The latest seen first. Filters that look at records find only those whose records staff may see."""
    query = _columns(now).where(*_conditions(filters, now))
    found_at = cursor(after)
    if found_at is not None:
        at, last = found_at
        query = query.where(or_(Contact.seen_at < at, and_(Contact.seen_at == at, Contact.id < last)))
    found = tx.execute(query.order_by(Contact.seen_at.desc(), Contact.id.desc()).limit(rows + 1)).all()
    listed = [_listed(row) for row in found[:rows]]
    more = found[rows - 1] if len(found) > rows else None
    return Found(listed, None if more is None else f"{more.seen_at.isoformat()}_{more.contact_id}")


def everybody(filters: Filters, now: datetime) -> Select[int]:
    """The ids of all whom the list would show."""
    return select(Contact.id).where(*_conditions(filters, now))


def one(tx: Connection, contact_id: int, now: datetime) -> Listed | None:
    """The line of one contact."""
    row = tx.execute(_columns(now).where(Contact.id == contact_id)).first()
    return None if row is None else _listed(row)


def cursor(after: str) -> tuple[datetime, int] | None:
    """None for anything that is no cursor of ours: the list begins at its beginning."""
    at, _, last = after.rpartition("_")
    try:
        moment, number = datetime.fromisoformat(at), int(last)
        return (moment.astimezone(UTC), number) if moment.tzinfo is not None and 0 < number < 2**63 else None
    except (ValueError, OverflowError):
        return None


_STATE = CONTACT.c.state
_LOCK = _STATE[("lock", "level")].as_string()
_OUTCOME = _STATE[("screening", "outcome")].as_string()
_level = func.coalesce(_LOCK, _OUTCOME)
_READABLE = CONTACT.c.consents[STAFF].as_string().is_not(None)


def _own() -> Any:
    return Session.contact_id == Contact.id


_last_routine = (
    select(Session.routine).where(_own(), Session.routine.is_not(None)).order_by(Session.id.desc()).limit(1)
).scalar_subquery()


def _count(now: datetime) -> ColumnElement[int]:
    begun = select(func.count()).select_from(Session).where(_own(), Session.started_at > now - FORTNIGHT)
    return begun.scalar_subquery()


def _pain(now: datetime, newest: bool) -> ColumnElement[int]:
    told = select(Session.pain_before).where(_own(), Session.pain_before.is_not(None), Session.started_at > now - TREND)
    order = Session.started_at.desc() if newest else Session.started_at.asc()
    return told.order_by(order).limit(1).scalar_subquery()


def _columns(now: datetime) -> Select[*tuple[Any, ...]]:
    return select(
        *PERSON,
        Contact.seen_at,
        Contact.reachable,
        Contact.is_test,
        _level.label("disposition"),
        _last_routine.label("routine"),
        _count(now).label("sessions"),
        _pain(now, newest=True).label("pain"),
        _pain(now, newest=False).label("first_pain"),
    )


def _conditions(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.search:
        number = filters.search.lstrip("#")
        named = Contact.name.icontains(filters.search, autoescape=True)
        phoned = Contact.phone.icontains(filters.search, autoescape=True)
        same = Contact.id == int(number) if number.isascii() and number.isdigit() and len(number) < 12 else None
        found.append(or_(named, phoned) if same is None else or_(named, phoned, same))
    if filters.channel:
        found.append(Contact.channel == filters.channel)
    if filters.seen in SEEN:
        found.append(Contact.seen_at > now - SEEN[filters.seen])
    elif filters.seen == "longer":
        found.append(Contact.seen_at <= now - SEEN["month"])
    if filters.label:
        found.append(exists().where(Tag.contact_id == Contact.id, Tag.name == filters.label))
    match filters.tag:
        case "test":
            found.append(Contact.is_test.is_(True))
        case "blocked":
            found.append(Contact.reachable.is_(False))
        case "talking":
            found.append(Contact.taken_until > now)
        case _:
            pass
    records = _about_records(filters, now)
    return [*found, _READABLE, *records] if records else found


def _about_records(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.disposition in set(Disposition):
        found.append(_level == filters.disposition)
    elif filters.disposition == "none":
        found.append(_level.is_(None))
    if filters.routine:
        found.append(_last_routine == filters.routine)
    count, moved = _count(now), _pain(now, newest=True) - _pain(now, newest=False)
    match filters.adherence:
        case "often":
            found.append(count >= OFTEN)
        case "some":
            found.append(and_(count >= SOME, count < OFTEN))
        case "none":
            found.append(count < SOME)
        case _:
            pass
    match filters.trend:
        case "better":
            found.append(moved <= -MOVED)
        case "worse":
            found.append(moved >= MOVED)
        case "same":
            found.append(and_(moved > -MOVED, moved < MOVED))
        case _:
            pass
    return found


def _listed(row: Any) -> Listed:
    who = person(row)
    if not who.readable:
        return Listed(who, row.seen_at, row.reachable, row.is_test, None, None, None, None, None)
    moved = None if row.pain is None else row.pain - row.first_pain
    return Listed(
        who,
        row.seen_at,
        row.reachable,
        row.is_test,
        row.disposition,
        row.routine,
        row.sessions,
        row.pain,
        moved,
    )

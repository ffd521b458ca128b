"""Whom a broadcast is for: criteria as values, compiled to SQL, and the reasons for which somebody is left out all the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, assert_never

from pydantic import BeforeValidator, Field, TypeAdapter
from sqlalchemy import Case, ColumnElement, Connection, and_, case, exists, func, not_, null, select

from bot import outbox, pacing
from bot.content.model import Content
from bot.messages import Disposition, Locale
from bot.store.tables import CONTACT, Session, Tag

TIPS = "tips"
"""The consent without which nobody gets anything that they did not ask for."""

PRACTICE = timedelta(days=28)
"""What counts as lately when routines are counted: four weeks, the step in which the programme looks back (CLINICAL 6)."""

CHOSEN_MOST = 500
"""People that can be chosen one by one: who needs more has a criterion or a tag."""

LISTED_MOST = 100
"""Values of one criterion."""

DAYS_MOST = 3660
"""Ten years: nothing is kept for longer."""

Value = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
"""A word that a database can look for."""


def _whole(value: object) -> object:
    """JSON may write a whole number as 7.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
Days = Annotated[int, Field(ge=1, le=DAYS_MOST), Whole]
Times = Annotated[int, Field(ge=0, le=10_000), Whole]
ContactId = Annotated[int, Field(ge=1, lt=2**63), Whole]
Several = Field(min_length=1, max_length=LISTED_MOST)


@dataclass(frozen=True, slots=True)
class OnChannel:
    """Reached by one of these channels."""

    any_of: Annotated[tuple[Value, ...], Several]
    kind: Literal["on_channel"] = "on_channel"


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads one of these languages."""

    any_of: Annotated[tuple[Locale, ...], Several]
    kind: Literal["reads"] = "reads"


@dataclass(frozen=True, slots=True)
class Screened:
    """The last screening, or what was found since, came to one of these. "none": not screened yet."""

    any_of: Annotated[tuple[Disposition | Literal["none"], ...], Several]
    kind: Literal["screened"] = "screened"


@dataclass(frozen=True, slots=True)
class Follows:
    """The routine begun last is one of these."""

    any_of: Annotated[tuple[Value, ...], Several]
    kind: Literal["follows"] = "follows"


@dataclass(frozen=True, slots=True)
class Active:
    """Did something in the last so many days."""

    days: Days
    kind: Literal["active"] = "active"


@dataclass(frozen=True, slots=True)
class Silent:
    """Did nothing in the last so many days."""

    days: Days
    kind: Literal["silent"] = "silent"


@dataclass(frozen=True, slots=True)
class Practised:
    """Began so many routines in the last four weeks; `most` None: no upper end."""

    least: Times
    most: Times | None = None
    kind: Literal["practised"] = "practised"


@dataclass(frozen=True, slots=True)
class Tagged:
    """Bears one of these words of staff's."""

    any_of: Annotated[tuple[Value, ...], Several]
    kind: Literal["tagged"] = "tagged"


@dataclass(frozen=True, slots=True)
class Chosen:
    """These, by contact id."""

    contacts: Annotated[tuple[ContactId, ...], Field(max_length=CHOSEN_MOST)]
    kind: Literal["chosen"] = "chosen"


Criterion = Annotated[
    OnChannel | Reads | Screened | Follows | Active | Silent | Practised | Tagged | Chosen, Field(discriminator="kind")
]


@dataclass(frozen=True, slots=True)
class Audience:
    """Those to whom every criterion applies; none: everybody."""

    all_of: Annotated[tuple[Criterion, ...], Field(max_length=20)] = ()


_AUDIENCE: TypeAdapter[Audience] = TypeAdapter(Audience)


def to_json(audience: Audience) -> str:
    """As it stands in a broadcast's row."""
    return _AUDIENCE.dump_json(audience).decode()


def from_json(text: str) -> Audience:
    """Raises ValueError for what is no audience."""
    return _AUDIENCE.validate_json(text)


class Bar(StrEnum):
    """Why somebody of the audience gets nothing. Who has several is counted under the first."""

    NO_CONSENT = "no_consent"
    FLAGGED = "flagged"
    BLOCKED = "blocked"
    TAKEN_OVER = "taken_over"
    DAY_FULL = "day_full"


@dataclass(frozen=True, slots=True)
class Count:
    """`recipients` by channel and `barred` by reason add up to the audience exactly."""

    recipients: Mapping[str, int]
    barred: Mapping[Bar, int]

    @property
    def sent_to(self) -> int:
        """People who would get it."""
        return sum(self.recipients.values())

    @property
    def all(self) -> int:
        """People to whom the criteria apply."""
        return self.sent_to + sum(self.barred.values())


def count(tx: Connection, content: Content, audience: Audience, now: datetime) -> Count:
    """At this moment."""
    reason = barred(content, now).label("reason")
    query = (
        select(reason, CONTACT.c.channel, func.count()).where(fits(audience, now)).group_by(reason, CONTACT.c.channel)
    )
    recipients: dict[str, int] = {}
    left_out: dict[Bar, int] = {}
    for bar, channel, number in tx.execute(query):
        if bar is None:
            recipients[channel] = number
        else:
            left_out[Bar(bar)] = left_out.get(Bar(bar), 0) + number
    return Count(recipients, left_out)


def still_barred(tx: Connection, content: Content, contact_ids: Iterable[int], now: datetime) -> Mapping[int, Bar]:
    """Those of them to whom nothing may be sent now, and why."""
    reason = barred(content, now).label("reason")
    found = tx.execute(select(CONTACT.c.id, reason).where(CONTACT.c.id.in_(list(contact_ids)), reason.is_not(None)))
    return {contact_id: Bar(bar) for contact_id, bar in found}


def barred(content: Content, now: datetime) -> Case[Any]:
    """The first reason that applies to a contact; NULL for who may get it."""
    full = pacing.pushed_today(content, now, CONTACT.c.id) >= content.pacing.of(outbox.NEWS).a_day
    consent = CONTACT.c.consents[TIPS].as_string().is_not(None)
    flagged = CONTACT.c.state[("lock", "level")].as_string().is_not(None)
    return case(
        (not_(consent), Bar.NO_CONSENT.value),
        (flagged, Bar.FLAGGED.value),
        (not_(CONTACT.c.reachable), Bar.BLOCKED.value),
        (CONTACT.c.taken_until > now, Bar.TAKEN_OVER.value),
        (full, Bar.DAY_FULL.value),
        else_=null(),
    )


def fits(audience: Audience, now: datetime) -> ColumnElement[bool]:
    """Whether every criterion applies to a contact at `now`."""
    return and_(CONTACT.c.state.is_not(None), *(_applies(criterion, now) for criterion in audience.all_of))


def _applies(criterion: Criterion, now: datetime) -> ColumnElement[bool]:
    match criterion:
        case OnChannel(any_of):
            return CONTACT.c.channel.in_(any_of)
        case Reads(any_of):
            return CONTACT.c.locale.in_(any_of)
        case Screened(any_of):
            return _disposition().in_([str(one) for one in any_of])
        case Follows(any_of):
            return _routine().in_(any_of)
        case Active(days):
            return CONTACT.c.seen_at >= now - timedelta(days=days)
        case Silent(days):
            return CONTACT.c.seen_at < now - timedelta(days=days)
        case Practised(least, most):
            begun = _begun_since(now - PRACTICE)
            return begun >= least if most is None else and_(begun >= least, begun <= most)
        case Tagged(any_of):
            return exists().where(Tag.contact_id == CONTACT.c.id, Tag.name.in_(any_of))
        case Chosen(contacts):
            return CONTACT.c.id.in_(contacts)
        case _:
            assert_never(criterion)


def _disposition() -> ColumnElement[str]:
    """As in Screened: a lock says more than the screening before it."""
    return func.coalesce(
        CONTACT.c.state[("lock", "level")].as_string(), CONTACT.c.state[("screening", "outcome")].as_string(), "none"
    )


def _routine() -> ColumnElement[Any]:
    own = select(Session.routine).where(Session.contact_id == CONTACT.c.id, Session.routine.is_not(None))
    return own.order_by(Session.id.desc()).limit(1).correlate(CONTACT).scalar_subquery()


def _begun_since(since: datetime) -> ColumnElement[int]:
    own = select(func.count()).where(Session.contact_id == CONTACT.c.id, Session.started_at >= since)
    return own.correlate(CONTACT).scalar_subquery()


def page(
    tx: Connection, content: Content, audience: Audience, since: datetime, now: datetime, ids: range, most: int
) -> Sequence[Any]:
    """The first of an audience among these ids, with `reason` as `barred` has it. Days are counted back from `since`, so
    that an audience stays the same while it is written to."""
    columns = (CONTACT.c[name] for name in ("id", "channel", "user_id", "locale"))
    within = CONTACT.c.id >= ids.start, CONTACT.c.id < ids.stop
    query = select(*columns, barred(content, now).label("reason")).where(*within, fits(audience, since))
    return tx.execute(query.order_by(CONTACT.c.id).limit(most)).all()

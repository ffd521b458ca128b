"""Patients by number: how they do, never who they are nor what they said."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection, select

from bot import audit
from bot.access import Action
from bot.messages import Disposition
from bot.store import codec
from bot.store.tables import Screening, Session
from bot.web.api.operation import AnyOperation, Call, Id, Nothing, Operation, PageSize
from bot.web.api.problem import Kind, Shape, Trouble
from bot.web.console import patient_list
from bot.web.console.patient_list import Filters, Listed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

RECORDS = 50
"""Of each kind, the latest."""


class PatientLine(Shape):
    """`id` is the number that the console's masked mode shows. `readable`: the patient agreed that staff may see records; all
    that follows is null otherwise. `sessions` were begun in the last 14 days; `pain` is the last one, 0-10, and
    `pain_change` how it moved in 28 days."""

    id: int
    channel: str
    seen_at: datetime
    reachable: bool
    is_test: bool
    readable: bool
    disposition: str | None
    routine: str | None
    sessions: int | None
    pain: int | None
    pain_change: int | None


class FinishedScreening(Shape):
    """A screening that was finished. `flags` are ids of content/red_flags.toml."""

    finished_at: datetime
    outcome: str
    flags: tuple[str, ...]


class CareSession(Shape):
    """A routine that was begun, or a report without one."""

    routine: str | None
    started_at: datetime | None
    finished_at: datetime | None
    pain_before: int | None
    pain_after: int | None


class Patient(PatientLine):
    """With the latest 50 screenings and sessions, the newest first; none where they may not be read."""

    consents: dict[str, datetime]
    screenings: tuple[FinishedScreening, ...]
    practised: tuple[CareSession, ...]


class Patients(Shape):
    """A page, the last seen first. `next` is the `after` of the next one, null on the last."""

    items: tuple[PatientLine, ...]
    next: str | None


Cursor = Annotated[str, Field(pattern=r"^[0-9]{1,16}_[1-9][0-9]{0,17}$")]
"""What `next` said: a moment in millionths of a second, and an id."""


def _cursor(after: str) -> str:
    """As the console's list takes it."""
    moment, _, last = after.partition("_")
    return f"{(EPOCH + timedelta(microseconds=int(moment))).isoformat()}_{last}"


def _next(cursor: str) -> str:
    moment, _, last = cursor.rpartition("_")
    return f"{(datetime.fromisoformat(moment) - EPOCH) // timedelta(microseconds=1)}_{last}"


class PatientList(Shape):
    """The console's filters. What looks at records finds only those whose records staff may see."""

    channel: Literal["line", "slack"] | None = None
    disposition: Disposition | Literal["none"] | None = None
    routine: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")] | None = None
    seen: Literal["day", "week", "month", "longer"] | None = None
    adherence: Literal["often", "some", "none"] | None = None
    trend: Literal["better", "same", "worse"] | None = None
    tag: Literal["test", "blocked", "talking"] | None = None
    after: Cursor | None = None
    limit: PageSize = 50


class PatientPath(Shape):
    """One of them."""

    patient_id: Id


def _values(one: Listed) -> Mapping[str, object]:
    return {
        "id": one.who.id,
        "channel": one.who.channel,
        "seen_at": one.seen_at,
        "reachable": one.reachable,
        "is_test": one.is_test,
        "readable": one.who.readable,
        "disposition": one.disposition,
        "routine": one.routine,
        "sessions": one.sessions,
        "pain": one.pain,
        "pain_change": one.moved,
    }


def _list(call: Call, asked: PatientList, _: Nothing) -> Patients:
    filters = Filters(
        channel=asked.channel or "",
        disposition=asked.disposition or "",
        routine=asked.routine or "",
        seen=asked.seen or "",
        adherence=asked.adherence or "",
        trend=asked.trend or "",
        tag=asked.tag or "",
    )
    with call.runtime.db.read() as look:
        found = patient_list.find(
            look, filters, call.runtime.now(), _cursor(asked.after) if asked.after else "", asked.limit
        )
    return Patients(
        items=tuple(PatientLine.model_validate(_values(one)) for one in found.rows),
        next=None if found.after is None else _next(found.after),
    )


def _read(call: Call, asked: PatientPath, _: Nothing) -> Patient | Trouble:
    now = call.runtime.now()
    with call.runtime.db.write() as tx:
        one = patient_list.one(tx, asked.patient_id, now)
        if one is None:
            return Trouble(Kind.UNKNOWN)
        audit.note(tx, now, call.actor.name, "record_opened", one.who.id, {**call.actor.by_token, "masked": "yes"})
        screenings, practised = (_screenings(tx, one), _practised(tx, one)) if one.who.readable else ((), ())
    more = {"consents": one.who.consents, "screenings": screenings, "practised": practised}
    return Patient.model_validate({**_values(one), **more})


def _screenings(tx: Connection, one: Listed) -> Sequence[FinishedScreening]:
    query = select(Screening.finished_at, Screening.outcome, Screening.flags).where(Screening.contact_id == one.who.id)
    return tuple(
        FinishedScreening(finished_at=row.finished_at, outcome=row.outcome, flags=codec.strings_from(row.flags))
        for row in tx.execute(query.order_by(Screening.id.desc()).limit(RECORDS))
    )


def _practised(tx: Connection, one: Listed) -> Sequence[CareSession]:
    columns = (getattr(Session, name) for name in CareSession.model_fields)
    query = select(*columns).where(Session.contact_id == one.who.id).order_by(Session.id.desc()).limit(RECORDS)
    return tuple(CareSession.model_validate(row, from_attributes=True) for row in tx.execute(query))


OPERATIONS: Sequence[AnyOperation] = (
    Operation(
        "list_patients",
        "GET",
        "/patients",
        Action.SEE_PATIENTS,
        "Patients, the last seen first.",
        PatientList,
        Nothing,
        Patients,
        _list,
    ),
    Operation(
        "read_patient",
        "GET",
        "/patients/{patient_id}",
        Action.SEE_PATIENTS,
        "One patient by number. Who looked stands in the audit.",
        PatientPath,
        Nothing,
        Patient,
        _read,
        refuses=(Kind.UNKNOWN,),
    ),
)

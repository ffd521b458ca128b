"""Everything stored about a patient as they can read it, and as a file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot import records
from bot.content.model import Ask, AskNumber, CardAsk
from bot.engine import advice, nodes, question
from bot.engine.state import Asking
from bot.messages import Card, Carousel, Commanded, Disposition, Event, Part, Picked, PickToken, Picture, Said, Words
from bot.store import codec
from bot.store.tables import Contact, Inbox, Outbox, Screening, Session
from bot.web.care.measures import Measured, measured
from bot.web.care.visit import Visit

READ_ABOVE = frozenset(("screening", "session", "measure", "inbox", "outbox"))
"""Tables that the page tells in words; the others stand under "other records" as they are."""


@dataclass(frozen=True, slots=True)
class Check:
    """A screening: its day, what was advised, and each question with its answer."""

    day: str
    outcome: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Care:
    """A session in words; empty where nothing was told."""

    when: str
    routine: str
    before: str
    after: str
    report: str
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """Something said in the chat. `text` is empty when its words are no longer stored."""

    at: datetime
    when: str
    mine: bool
    text: str


@dataclass(frozen=True, slots=True)
class Consent:
    """A purpose agreed to."""

    purpose: str
    name: str
    since: str


@dataclass(frozen=True, slots=True)
class Account:
    """The page. `more` are the other tables' rows, each as names and values."""

    since: str
    seen: str
    consents: tuple[Consent, ...]
    checks: tuple[Check, ...]
    cares: tuple[Care, ...]
    measures: Measured
    lines: tuple[Line, ...]
    more: Mapping[str, Sequence[Mapping[str, str]]]


def account(tx: Connection, visit: Visit) -> Account:
    """Of somebody who is there: the visit has made sure."""
    contact = tx.execute(select(Contact.created_at, Contact.seen_at).where(Contact.id == visit.contact_id)).one()
    names = visit.draft.content.pages.data
    named = {"guidance": names.guidance, "staff": names.staff, "tips": names.tips}
    consents = tuple(
        Consent(purpose, visit.say(named[purpose]) if purpose in named else purpose, visit.day(at))
        for purpose, at in visit.draft.state.consents.items()
    )
    rows = records.of(tx, visit.contact_id)
    more = {
        name: [{key: _plain(value) for key, value in row.items()} for row in found]
        for name, found in rows.items()
        if found and name not in READ_ABOVE
    }
    lines = sorted((*_heard(tx, visit), *_told(tx, visit)), key=lambda line: line.at)
    return Account(
        visit.day(contact.created_at),
        visit.day(contact.seen_at),
        consents,
        tuple(checks(tx, visit)),
        tuple(cares(tx, visit)),
        measured(tx, visit),
        tuple(lines),
        more,
    )


def file(tx: Connection, visit: Visit) -> str:
    """All of it as JSON, one list a table."""
    made = {"made_at": visit.draft.now.isoformat(), **records.of(tx, visit.contact_id)}
    return json.dumps(made, ensure_ascii=False, indent=2)


def _plain(value: records.Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _moment(visit: Visit, at: datetime | None) -> str:
    return "" if at is None else f"{visit.day(at)} {at.astimezone(visit.zone):%H:%M}"


def checks(tx: Connection, visit: Visit) -> Iterator[Check]:
    """Screenings, oldest first."""
    outcomes = visit.draft.content.pages.progress.outcomes
    query = select(Screening.finished_at, Screening.outcome, Screening.answers)
    for at, outcome, answers in tx.execute(
        query.where(Screening.contact_id == visit.contact_id).order_by(Screening.id)
    ):
        said = visit.say(outcomes.of(Disposition(outcome)))
        yield Check(visit.day(at), said, advice.in_words(visit.draft, codec.words_from(answers)))


def cares(tx: Connection, visit: Visit) -> Iterator[Care]:
    """Sessions, oldest first."""
    content = visit.draft.content
    after = content.flows[nodes.AFTER]
    reports = {o.id: visit.say(o.label) for node in after.node if isinstance(node, Ask) for o in node.options}
    query = select(Session).with_only_columns(
        Session.started_at,
        Session.finished_at,
        Session.routine,
        Session.pain_before,
        Session.pain_after,
        Session.report,
        Session.note,
    )
    for row in tx.execute(query.where(Session.contact_id == visit.contact_id).order_by(Session.id)):
        routine = content.routines.get(row.routine or "")
        yield Care(
            _moment(visit, row.started_at or row.finished_at),
            visit.say(routine.title) if routine else row.routine or "",
            "" if row.pain_before is None else str(row.pain_before),
            "" if row.pain_after is None else str(row.pain_after),
            reports.get(row.report or "", row.report or ""),
            row.note or "",
        )


def _heard(tx: Connection, visit: Visit) -> Iterator[Line]:
    query = select(Inbox.occurred_at, Inbox.event).where(Inbox.contact_id == visit.contact_id)
    for at, event in tx.execute(query.where(Inbox.kind != "staff_did")):  # what they said is among what was told
        text = event_text(visit, codec.event_from(event)) if event is not None else ""
        yield Line(at, _moment(visit, at), True, text)


def event_text(visit: Visit, event: Event) -> str:
    """What the patient said or tapped, in words."""
    tapped = visit.say(visit.draft.content.pages.data.tapped)
    match event:
        case Said(text=text):
            return text
        case Picked(token=token):
            return f"{tapped} {_label(visit, token)}"
        case Commanded(command=command):
            return f"{tapped} {visit.say(visit.draft.content.phrases.commands[command])}"
        case _:
            return f"({event.kind})"


def _label(visit: Visit, token: PickToken) -> str:
    """What stood on the button, as far as content still has it."""
    flow_id, _, rest = token.question.partition("/")
    node_id, _, item = rest.partition("/")
    flow = visit.draft.content.flows.get(flow_id)
    node = nodes.find(flow, node_id) if flow else None
    known = {i.id for i in visit.draft.content.safety.item}
    if not isinstance(node, Ask | CardAsk | AskNumber) or (item and item not in known):
        return token.option
    asking = Asking(flow_id, node_id, token.turn, visit.draft.now, item or None)
    return dict(question.answers(visit.draft, asking, node)).get(token.option, token.option)


def _told(tx: Connection, visit: Visit) -> Iterator[Line]:
    query = select(Outbox.created_at, Outbox.message).where(Outbox.contact_id == visit.contact_id)
    for at, message in tx.execute(query):
        parts = codec.message_from(message).parts if message is not None else ()
        yield Line(at, _moment(visit, at), False, "\n".join(map(_part_text, parts)))


def _part_text(part: Part) -> str:
    match part:
        case Words(text):
            return text
        case Picture(alt=alt):
            return alt
        case Card():
            return "\n".join(filter(None, (part.title, part.text, *part.lines, part.note)))
        case Carousel(cards):
            return "\n".join(map(_part_text, cards))

"""One patient's page: who they are, what was found, how it goes, what was said, and what staff note and decide."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, request
from sqlalchemy import Connection, Row, insert, select, update
from werkzeug.wrappers import Response as BaseResponse

from bot import audit, gate, inbox, progress, tags
from bot.access import Action
from bot.claims import spare_until
from bot.engine.draft import Draft
from bot.engine.state import Facts, State
from bot.inbox import Own
from bot.messages import StaffDid
from bot.runtime import Runtime
from bot.store import codec
from bot.store.tables import Alert, Contact, Note, Reminder, ReminderStatus
from bot.web.care import data
from bot.web.care.chart import chart
from bot.web.care.visit import Visit, speaker
from bot.web.console import timeline, today
from bot.web.console.people import PERSON, Person, person
from bot.web.console.timeline import Talk
from bot.web.console.visit import House, go, me, needs, page, part, unattended

SOURCE = "console"
"""Of events that staff bring in."""

TEXT_MAX = 4000
"""UTF-16 units of an answer: with the sentence that announces a person it stays below LINE's 5,000 (Messaging API reference,
"Text message")."""

FIELD_MAX = 80
NOTE_MAX = 5000

REST_HOURS = (1, 2, 4, 12)
"""For how long the guide can be silenced at once."""


@dataclass(frozen=True, slots=True)
class Record:
    """Everything about one contact that pages need. `own` speaks the patient's language, `visit` the reader's. `since`: from
    when on staff may read what was said; None is from the beginning."""

    who: Person
    row: Row[*tuple[Any, ...]]
    own: Visit
    visit: Visit
    since: datetime | None

    @property
    def state(self) -> State:
        return self.own.draft.state

    @property
    def talking(self) -> bool:
        """Whether one of the staff talks with the patient now."""
        taken = self.state.taken
        return taken is not None and taken.until > self.own.draft.now

    @property
    def talk_readable(self) -> bool:
        """Whether anything that was said may be read."""
        return self.who.readable or self.since is not None


def register(console: Blueprint, house: House) -> None:
    """The views."""

    @console.get("/patients/<int:contact_id>")
    @needs(Action.SEE_PATIENTS)
    def patient(contact_id: int) -> Response:
        runtime = house()
        with runtime.db.write() as tx:
            record = open_record(runtime, tx, contact_id)
            audit.note(tx, runtime.now(), me().name, "record_opened", contact_id, {})
        with runtime.db.read() as look:
            return _page(runtime, look, record)

    @console.get("/patients/<int:contact_id>/talk")
    @needs(Action.SEE_PATIENTS)
    @unattended
    def patient_talk(contact_id: int) -> Response:
        runtime = house()
        with runtime.db.read() as look:
            record = open_record(runtime, look, contact_id)
            return part("patient_talk", **_talk(runtime, look, record))

    @console.post("/patients/<int:contact_id>/act/<what>")
    @needs(Action.TAKE_OVER)
    def patient_act(contact_id: int, what: Literal["take_over", "say", "hand_back"]) -> BaseResponse:
        if what not in ("take_over", "say", "hand_back"):
            abort(404)
        return _act(house(), contact_id, what)

    @console.post("/patients/<int:contact_id>/seen-doctor")
    @needs(Action.CLEAR_FLAGS)
    def patient_seen_doctor(contact_id: int) -> BaseResponse:
        runtime = house()
        with runtime.db.read() as look:
            lock = open_record(runtime, look, contact_id).state.lock
        if lock is None:
            abort(409)
        _tell(runtime, contact_id, StaffDid("seen_doctor", me().name), f"{contact_id}-{lock.since.timestamp()}")
        return go("patient", "patient.told_seen_doctor", contact_id=contact_id)

    @console.post("/patients/<int:contact_id>/notes")
    @needs(Action.EDIT_PATIENTS)
    def patient_note(contact_id: int) -> BaseResponse:
        runtime, text = house(), codec.storable(request.form.get("text", "").strip())
        if not text or len(text) > NOTE_MAX:
            abort(400)
        with runtime.db.write() as tx:
            _there(tx, contact_id)
            now = runtime.now()
            tx.execute(insert(Note), {"contact_id": contact_id, "author": me().name, "text": text, "written_at": now})
            audit.note(tx, now, me().name, "note_written", contact_id, {})
        return go("patient", "patient.noted", contact_id=contact_id)

    @console.post("/patients/<int:contact_id>/details")
    @needs(Action.EDIT_PATIENTS)
    def patient_details(contact_id: int) -> BaseResponse:
        runtime = house()
        name, phone = (codec.storable(request.form.get(field, "").strip())[:FIELD_MAX] for field in ("name", "phone"))
        if phone and not set(phone) <= set("0123456789+-() #"):
            return go("patient", "patient.wrong_phone", contact_id=contact_id)
        with runtime.db.write() as tx:
            _there(tx, contact_id)
            new: dict[str, Any] = {"name": name or None, "phone": phone or None}
            if request.form.get("test_shown"):
                new["is_test"] = request.form.get("is_test") == "yes"
            tx.execute(update(Contact).where(Contact.id == contact_id).values(**new))
            audit.note(tx, runtime.now(), me().name, "details_changed", contact_id, {"fields": " ".join(sorted(new))})
        return go("patient", "patient.saved", contact_id=contact_id)


def open_record(runtime: Runtime, tx: Connection, contact_id: int) -> Record:
    """The contact with that id. Ends the request with 404 when there is none."""
    columns = (*PERSON, Contact.user_id, Contact.state, Contact.reachable, Contact.is_test, Contact.created_at)
    row = tx.execute(select(*columns, Contact.seen_at).where(Contact.id == contact_id)).first()
    if row is None:
        abort(404)
    now = runtime.now()
    facts = Facts(now, ZoneInfo(runtime.content.clinic.time_zone))
    state = codec.state_from(row.state)
    own = Visit(contact_id, row.channel, row.user_id, Draft(runtime.content, state, facts), speaker(state.locale))
    mine = me().locale
    visit = replace(own, draft=Draft(runtime.content, replace(state, locale=mine), facts), say=speaker(mine))
    who = person(row)
    since = None if who.readable else timeline.talking_since(tx, contact_id, state, now)
    return Record(who, row, own, visit, since)


def _there(tx: Connection, contact_id: int) -> None:
    if tx.execute(select(Contact.id).where(Contact.id == contact_id)).first() is None:
        abort(404)


def _page(runtime: Runtime, look: Connection, record: Record, status: int = 200, **more: object) -> Response:
    readable, contact_id, visit = record.who.readable, record.who.id, record.visit
    found = progress.read(look, contact_id, visit.zone, visit.draft.now) if readable else None
    rung = look.execute(select(Alert).where(Alert.contact_id == contact_id).order_by(Alert.id.desc()).limit(20)).all()
    notes = look.execute(select(Note).where(Note.contact_id == contact_id).order_by(Note.id.desc()).limit(100)).all()
    reminders = look.execute(
        select(Reminder).where(Reminder.contact_id == contact_id, Reminder.status != ReminderStatus.ENDED)
    ).all()
    values: dict[str, object] = {
        "record": record,
        "checks": list(reversed(list(data.checks(look, visit)))) if readable else [],
        "cares": list(reversed(list(data.cares(look, visit))))[:30] if readable else [],
        "progress": found,
        "chart": chart(found.points) if found is not None and found.points else None,
        "alerts": [(one, codec.strings_from(one.flags)) for one in rung],
        "reasons": today.reasons(runtime.content, me().locale),
        "notes": notes,
        "tags": tags.of(look, contact_id),
        "labels": [one.name for one in tags.counts(look)],
        "reminders": [(one, codec.rule_from(one.rule)) for one in reminders],
        "replies": runtime.content.phrases.staff_replies,
        "hours": REST_HOURS,
        "text_max": TEXT_MAX,
        "draft": "",
        "wrong": "",
        **_talk(runtime, look, record),
        **more,
    }
    return page("patient", status, **values)


def _talk(runtime: Runtime, look: Connection, record: Record) -> dict[str, object]:
    """What renews itself: the conversation, and what an answer would cost now."""
    before = _moment(request.args.get("before", ""))
    talk = timeline.read(look, record.own, before, record.since) if record.talk_readable else Talk((), None)
    now = runtime.now()
    return {
        "record": record,
        "talk": talk,
        "free_until": spare_until(look, record.who.id, now),
        "opened": gate.current(look, runtime.settings).value,
        "pushes": record.who.channel == "line",
    }


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _act(runtime: Runtime, contact_id: int, what: Literal["take_over", "say", "hand_back"]) -> BaseResponse:
    text = codec.storable(request.form.get("text", "").replace("\r\n", "\n").strip()) if what == "say" else ""
    hours = request.form.get("hours", type=int)
    with runtime.db.read() as look:
        record = open_record(runtime, look, contact_id)
        if what == "say":
            wrong = _wrong(runtime, look, record, text)
            if wrong:
                return _page(
                    runtime, look, record, 409 if wrong == "patient.costs_now" else 400, draft=text, wrong=wrong
                )
    until = runtime.now() + timedelta(hours=hours if hours in REST_HOURS else 2)
    if what == "say" and record.talking and record.state.taken is not None:
        until = max(until, record.state.taken.until)
    event = StaffDid(what, me().name, text, None if what == "hand_back" else until)
    _tell(runtime, contact_id, event, request.form.get("once", "")[:64] or str(runtime.new_uuid()))
    return go("patient", f"patient.told_{what}", contact_id=contact_id)


def _wrong(runtime: Runtime, look: Connection, record: Record, text: str) -> str:
    """Why it is not sent; empty when it is. What would cost something is sent only when the page had said so."""
    if not text:
        return "patient.nothing_written"
    if len(text.encode("utf-16-le")) // 2 > TEXT_MAX:
        return "patient.too_long"
    if not record.row.reachable:
        return "patient.unreachable"
    free = record.who.channel != "line" or spare_until(look, record.who.id, runtime.now()) is not None
    return "" if free or request.form.get("cost") == "known" else "patient.costs_now"


def _tell(runtime: Runtime, contact_id: int, event: StaffDid, once: str) -> None:
    """An event like any other: the engine decides what follows. The same `once` twice is one event."""
    now = runtime.now()
    with runtime.db.write() as tx:
        inbox.admit(runtime.db, tx, [Own(SOURCE, f"{event.what}-{contact_id}-{once}", contact_id, event)], now)
        audit.note(tx, now, me().name, f"chat_{event.what}", contact_id, {})
    runtime.wake()

"""The week's appointments, and what staff decide about them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, request
from sqlalchemy import Connection, func, select
from werkzeug.wrappers import Response as BaseResponse

from bot import audit, bookings, calendars
from bot.access import Action
from bot.bookings import Gone
from bot.content.model import Content
from bot.engine import advice
from bot.engine.draft import Draft
from bot.engine.state import Facts, State
from bot.messages import BookingDecided, Locale
from bot.runtime import Runtime
from bot.slots import Days, Span, free, length, opening
from bot.store import codec
from bot.store.tables import Booking, BookingStatus, Contact, Inbox, InboxStatus, Nudge
from bot.web.console import booking_changes
from bot.web.console.people import PERSON, Person, person
from bot.web.console.visit import House, go, me, needs, page

What = Literal["confirm", "decline", "move", "cancel", "no_show"]

PATIENCE = 1.5
"""Seconds that a page waits for the turn that carries a decision out: it takes milliseconds where a worker runs."""

NUDGE_DAYS = 90
"""How far back the outcomes of nudges are counted."""

NO = ("no", "none")
"""Answers that a therapist need not read one by one."""

AFTER: Mapping[What, BookingStatus] = {
    "confirm": BookingStatus.CONFIRMED,
    "decline": BookingStatus.DECLINED,
    "move": BookingStatus.CONFIRMED,
    "cancel": BookingStatus.CANCELLED,
    "no_show": BookingStatus.NO_SHOW,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One appointment of the week. `who` is None for somebody who phoned. `doctor_first`: the patient was told to see a doctor;
    `unreachable`: they have blocked us, so nothing that is decided reaches them."""

    id: int
    starts_at: datetime
    ends_at: datetime
    seat: int
    status: str
    label: str
    wish: str
    shared: bool
    made_at: datetime
    doctor_first: bool
    unreachable: bool
    who: Person | None

    @property
    def open_to_staff(self) -> bool:
        """Whether the patient's answers and pain may be read here: not any more once it will not take place."""
        return self.shared and self.status in (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)

    def ways(self, now: datetime) -> tuple[What, ...]:
        """What can be done about it now."""
        if self.status == BookingStatus.REQUESTED and self.ends_at > now:
            return ("confirm", "decline", "move")
        if self.status == BookingStatus.CONFIRMED:
            return ("move", "cancel") if self.starts_at > now else ("no_show",)
        return ()


@dataclass(frozen=True, slots=True)
class DayShown:
    """A day of the week: its hours, its appointments and the times that are still free."""

    day: date
    hours: tuple[Span, ...]
    taken: tuple[Shown, ...]
    free: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Led:
    """How often a rule pointed the assessment out, and what came of it: the furthest that each one went, so that the numbers
    of `counts` add up to `told`."""

    text: str
    counts: Mapping[str, int]

    @property
    def told(self) -> int:
        return sum(self.counts.values())

    @property
    def share(self) -> int:
        """Of a hundred, how many led to an appointment."""
        return round(100 * self.counts.get("booked", 0) / self.told)


def register(console: Blueprint, house: House) -> None:
    """The week, one appointment, and the decisions."""

    @console.get("/bookings")
    @needs(Action.SEE_BOOKINGS)
    def bookings_week() -> Response:
        return _week(house())

    @console.get("/bookings/<int:booking_id>")
    @needs(Action.SEE_BOOKINGS)
    def booking(booking_id: int) -> Response:
        return _one(house(), booking_id)

    @console.post("/bookings")
    @needs(Action.EDIT_BOOKINGS)
    def booking_add() -> BaseResponse:
        return _add(house())

    @console.post("/bookings/<int:booking_id>/<what>")
    @needs(Action.EDIT_BOOKINGS)
    def booking_decide(booking_id: int, what: str) -> BaseResponse:
        if what not in get_args(What):
            abort(404)
        known: What = what  # type: ignore[assignment]
        return _decide(house(), booking_id, known)


def _monday(asked: str | None, today: date) -> date:
    try:
        day = date.fromisoformat(asked or "")
    except ValueError:
        day = today
    return day - timedelta(days=day.weekday())


def _week(runtime: Runtime, status: int = 200, wrong: str = "") -> Response:
    now, zone = runtime.now(), calendars.zone(runtime.content)
    monday = _monday(request.values.get("week"), now.astimezone(zone).date())
    begins = datetime.combine(monday, wall_time(), zone)
    with runtime.db.read() as look:
        stands = calendars.standing(look, runtime.content)
        shown = _shown(look, begins, begins + timedelta(days=7))
        slots = free(stands.days, bookings.taken(look, now), now) if stands.other.readable(now) else ()
        led = _led(look, runtime.content, me().locale, now)
        asked = _requests(look, now)
        changes = booking_changes.lately(look, now)
    days = [_day(stands.days, monday + timedelta(days=n), shown, [s.span for s in slots], zone) for n in range(7)]
    return page(
        "week",
        status,
        days=days,
        asked=asked,
        changes=changes,
        other=stands.other,
        readable=stands.other.readable(now),
        led=led,
        minutes=stands.days.calendar.slot_minutes,
        mode=runtime.content.clinic.booking.mode,
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        monday=monday,
        today=now.astimezone(zone).date(),
        weekdays=runtime.content.phrases.weekdays.to(me().locale).split(),
        wrong=wrong,
        at=request.values.get("at", "")[:16],
    )


def _day(days: Days, day: date, shown: Sequence[Shown], slots: Sequence[Span], zone: ZoneInfo) -> DayShown:
    def on(at: datetime) -> bool:
        return at.astimezone(zone).date() == day

    return DayShown(
        day,
        opening(days, day),
        tuple(one for one in shown if on(one.starts_at)),
        tuple(span for span in slots if on(span.starts)),
    )


_COLUMNS = (
    Booking.id,
    Booking.starts_at,
    Booking.ends_at,
    Booking.seat,
    Booking.status,
    Booking.label,
    Booking.wish,
    Booking.shared,
    Booking.created_at,
)
_ALL = select(*_COLUMNS, Contact.state, Contact.reachable, *PERSON).join_from(
    Booking, Contact, Contact.id == Booking.contact_id, isouter=True
)
_VISIBLE = (BookingStatus.HELD, BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.NO_SHOW)


def _shown(look: Connection, begins: datetime, ends: datetime) -> Sequence[Shown]:
    met = (Booking.starts_at >= begins, Booking.starts_at < ends, Booking.status.in_(_VISIBLE))
    return [_of(row) for row in look.execute(_ALL.where(*met).order_by(Booking.starts_at, Booking.seat))]


def _requests(look: Connection, now: datetime) -> Sequence[Shown]:
    """Everything that waits for staff, the soonest first."""
    waits = (Booking.status == BookingStatus.REQUESTED, Booking.ends_at > now)
    return [_of(row) for row in look.execute(_ALL.where(*waits).order_by(Booking.starts_at))]


def _of(row: Any) -> Shown:
    who = None if row.contact_id is None else person(row)
    doctor_first = who is not None and codec.state_from(row.state).lock is not None
    return Shown(
        row.id,
        row.starts_at,
        row.ends_at,
        row.seat,
        row.status,
        row.label,
        row.wish,
        row.shared,
        row.created_at,
        doctor_first,
        who is not None and not row.reachable,
        who,
    )


def _led(look: Connection, content: Content, locale: Locale, now: datetime) -> Sequence[Led]:
    since = Nudge.shown_at > now - timedelta(days=NUDGE_DAYS)
    query = select(Nudge.rule, Nudge.outcome, func.count()).where(since).group_by(Nudge.rule, Nudge.outcome)
    counts: dict[str, dict[str, int]] = {}
    for rule, outcome, number in look.execute(query):
        counts.setdefault(rule, {})[outcome] = number
    names = {rule.id: rule.text.to(locale) for rule in content.nudges.rule}
    led = [Led(names.get(rule, rule), found) for rule, found in sorted(counts.items())]
    return sorted(led, key=lambda one: (-one.counts.get("booked", 0), -one.told))


# --- one of them ------------------------------------------------------------------------------------------------------


def _find(look: Connection, booking_id: int) -> Shown:
    row = look.execute(_ALL.where(Booking.id == booking_id)).first()
    if row is None:
        abort(404)
    return _of(row)


def _one(runtime: Runtime, booking_id: int, status: int = 200, wrong: str = "") -> Response:
    """With the answers and the pain only if the patient shared them."""
    now, zone = runtime.now(), calendars.zone(runtime.content)
    with runtime.db.read() as look:
        found = _find(look, booking_id)
        changes = booking_changes.of_one(look, booking_id, found.who.id if found.who else None, found.made_at)
        state = State()
        if found.open_to_staff and found.who is not None:
            text = look.execute(select(Contact.state).where(Contact.id == found.who.id)).scalar_one()
            state = codec.state_from(text)
    draft = Draft(runtime.content, replace(state, locale=me().locale), Facts(now, zone))
    given = state.screening.answers if state.screening else {}
    answers = list(zip(given.values(), advice.in_words(draft, given), strict=True))
    return page(
        "booking",
        status,
        one=found,
        ways=found.ways(now),
        answers=[told for value, told in answers if value not in NO],
        noes=[told for value, told in answers if value in NO],
        changes=changes,
        screening=state.screening,
        pains=state.pains[-14:],
        wrong=wrong,
    )


def _span(runtime: Runtime, text: str) -> Span | None:
    """A local time as the form gives it, and the length of an appointment."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    if local.tzinfo is not None or not 2000 < local.year < 2200:
        return None
    with runtime.db.read() as look:
        days = calendars.standing(look, runtime.content).days
    starts = local.replace(tzinfo=days.zone).astimezone(UTC)
    return Span(starts, starts + length(days.calendar))


def _add(runtime: Runtime) -> BaseResponse:
    """For somebody in the chat by their number, else for a name that phoned."""
    span = _span(runtime, request.form.get("at", ""))
    who = request.form.get("who", "").strip()
    if span is None or span.starts <= runtime.now() or not who:
        return _week(runtime, 400, "week.wrong_add")
    number = who.removeprefix("#")
    if number.isascii() and number.isdigit():
        with runtime.db.read() as look:
            known = look.execute(select(Contact.id).where(Contact.id == int(number[:15]))).first()
        if known is None:
            return _week(runtime, 400, "week.wrong_who")
        event = BookingDecided("book", me().name, 0, span.starts, span.ends)
        _carried_out(runtime, bookings.decide(runtime, known.id, event))
        with runtime.db.read() as look:
            mine = (Booking.contact_id == known.id, Booking.starts_at == span.starts, Booking.status == "confirmed")
            booked = look.execute(select(Booking.id).where(*mine)).first()
        return go("bookings_week", "week.booked" if booked else "week.not_done", week=span.starts.date().isoformat())
    try:
        with runtime.db.write() as tx:
            bookings.lock(runtime, tx)
            made = bookings.add(runtime, tx, span, BookingStatus.CONFIRMED, runtime.now(), label=who[:80])
            told = {"booking": str(made), "at": span.starts.isoformat()}
            audit.note(tx, runtime.now(), me().name, "booked", None, told)
    except Gone:
        return _week(runtime, 409, "week.wrong_full")
    return go("bookings_week", "week.booked", week=span.starts.date().isoformat())


def _decide(runtime: Runtime, booking_id: int, what: What) -> BaseResponse:
    with runtime.db.read() as look:
        found = _find(look, booking_id)
    span = _span(runtime, request.form.get("at", "")) if what == "move" else None
    if what == "move" and (span is None or span.starts <= runtime.now()):
        return _one(runtime, booking_id, 400, "week.wrong_add")
    if what not in found.ways(runtime.now()):
        return go("booking", "week.not_done", booking_id=booking_id)
    if found.who is None:
        return _decide_ours(runtime, found, what, span)
    event = BookingDecided(what, me().name, found.id, span.starts if span else None, span.ends if span else None)
    carried = _carried_out(runtime, bookings.decide(runtime, found.who.id, event))
    with runtime.db.read() as look:
        now = look.execute(select(Booking.status, Booking.starts_at).where(Booking.id == found.id)).one()
    done = now.status == AFTER[what] and (span is None or now.starts_at == span.starts)
    told = f"week.done_{what}" if done else "week.not_done" if carried else "week.on_its_way"
    return go("booking", told, booking_id=booking_id)


def _decide_ours(runtime: Runtime, found: Shown, what: What, span: Span | None) -> BaseResponse:
    """Somebody who phoned: there is nobody in the chat to tell."""
    now = runtime.now()
    try:
        with runtime.db.write() as tx:
            bookings.lock(runtime, tx)
            if span is not None:
                bookings.move(runtime, tx, found.id, span, AFTER[what], now)
            else:
                bookings.settle(runtime, tx, found.id, AFTER[what], now)
            bookings.offer(runtime, tx, now)
            told = {"booking": str(found.id)} | ({"at": span.starts.isoformat()} if span else {})
            audit.note(tx, now, me().name, "booking_moved" if span else f"booking_{AFTER[what]}", None, told)
    except Gone:
        return _one(runtime, found.id, 409, "week.wrong_full")
    return go("booking", f"week.done_{what}", booking_id=found.id)


def _carried_out(runtime: Runtime, event_id: str) -> bool:
    """Waits a moment for the turn. False: it is still to come."""
    until = time.monotonic() + PATIENCE
    query = select(Inbox.status).where(Inbox.source == bookings.STAFF, Inbox.event_id == event_id)
    while time.monotonic() < until:
        with runtime.db.read() as look:
            if look.execute(query).scalar_one_or_none() != InboxStatus.WAITING:
                return True
        time.sleep(0.03)
    return False

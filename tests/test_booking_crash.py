"""The process dies just before or just after each commit of what staff decide, of an offer to the waiting list and of its end.
Done again, everything has happened once, and the patient has heard of it once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from bot import bookings, calendars
from bot.content.booking import Calendar, Hours
from bot.conversation import advance
from bot.engine.state import State
from bot.engine.step import step
from bot.messages import BookingDecided
from bot.runtime import Runtime
from bot.slots import Span
from bot.store import codec
from bot.store.session import Database
from bot.store.tables import Audit, Booking, BookingStatus, Contact, Waiting
from tests.world import START, World

Moment = Literal["before", "after"]
HOUR = timedelta(hours=1)
TOMORROW = START.replace(hour=1) + timedelta(days=1)
"""10:00 in Tokyo, when the clinic opens."""


class Killed(BaseException):
    """The process ends here."""


class Mortal(Database):
    """One process's connections. It dies around its writing transaction number `last`."""

    def __init__(self, engine: Engine, last: int, moment: Moment) -> None:
        super().__init__(engine)
        self._left = last
        self._moment = moment

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._left -= 1
        mine = self._left == 0
        with super().write() as tx:
            yield tx
            if mine and self._moment == "before":
                raise Killed
        if mine and self._moment == "after":
            raise Killed


def killed(runtime: Runtime, act: Callable[[Runtime], None], last: int, moment: Moment) -> bool:
    """Whether the process died in the act: it does not once the act has fewer transactions."""
    try:
        act(replace(runtime, db=Mortal(runtime.db.engine, last, moment)))
    except Killed:
        return True
    return False


@pytest.fixture
def clinic(world: World) -> World:
    return replace(world, runtime=replace(world.runtime, step=step))


def patient(clinic: World, number: int) -> int:
    """Somebody who agreed to be guided."""
    state = codec.state_json(State(consents={"guidance": START}))
    row = {"channel": "line", "user_id": f"U{number}", "state": state, "created_at": START, "seen_at": START}
    with clinic.db.write() as tx:
        found: int = tx.execute(insert(Contact).returning(Contact.id), row).scalar_one()
    return found


def booked(clinic: World, contact_id: int, starts: datetime, status: BookingStatus) -> int:
    with clinic.db.write() as tx:
        bookings.lock(clinic.runtime, tx)
        return bookings.add(
            clinic.runtime, tx, Span(starts, starts + HOUR), status, clinic.clock(), contact_id=contact_id
        )


What = Literal["confirm", "decline", "move", "cancel", "no_show", "book"]


@dataclass(frozen=True, slots=True)
class Case:
    """A decision, what it begins and ends with, how the audit calls it and what the patient hears ("" is nothing)."""

    before: BookingStatus | None
    after: BookingStatus
    noted: str
    heard: str


REQUESTED, CONFIRMED = BookingStatus.REQUESTED, BookingStatus.CONFIRMED
CASES: Mapping[What, Case] = {
    "confirm": Case(REQUESTED, CONFIRMED, "booking_confirmed", "ご予約が決まりました"),
    "decline": Case(REQUESTED, BookingStatus.DECLINED, "booking_declined", "お受けできませんでした"),
    "move": Case(CONFIRMED, CONFIRMED, "booking_moved", "ご予約の時間の変更です"),
    "cancel": Case(CONFIRMED, BookingStatus.CANCELLED, "booking_cancelled", "ご予約を取り消しました"),
    "no_show": Case(CONFIRMED, BookingStatus.NO_SHOW, "booking_no_show", ""),
    "book": Case(None, CONFIRMED, "booked", "ご予約をお取りしました"),
}


def noted(clinic: World, contact_id: int, action: str) -> int:
    mine = select(func.count()).select_from(Audit).where(Audit.contact_id == contact_id, Audit.action == action)
    with clinic.db.read() as look:
        found: int = look.execute(mine).scalar_one()
    return found


@pytest.mark.parametrize("what", CASES)
def test_a_decision_of_staff_is_carried_out_once_however_the_process_dies_on_it(clinic: World, what: What) -> None:
    case, deaths = CASES[what], 0
    for number, (last, moment) in enumerate([(1, "before"), (1, "after"), (2, "before"), (2, "after")]):
        contact = patient(clinic, number)
        at = START - 5 * HOUR + number * HOUR if what == "no_show" else TOMORROW + number * HOUR
        booking = booked(clinic, contact, at, case.before) if case.before else 0
        to = TOMORROW + timedelta(days=1, hours=number) if what in ("move", "book") else None
        event = BookingDecided(what, "sample", booking, to, to + HOUR if to else None)

        def decide(runtime: Runtime, contact: int = contact, event: BookingDecided = event) -> None:
            bookings.decide(runtime, contact, event)
            advance(runtime, 100)

        deaths += killed(clinic.runtime, decide, last, moment)  # type: ignore[arg-type]
        decide(clinic.runtime)
        clinic.run()
        with clinic.db.read() as look:
            mine = select(Booking.status, Booking.starts_at).where(Booking.contact_id == contact)
            [row] = look.execute(mine).all()
        assert (row.status, row.starts_at) == (case.after, to or at)
        assert noted(clinic, contact, case.noted) == 1
        texts = clinic.platform.texts(f"U{number}")
        assert [case.heard in text for text in texts] == ([True] if case.heard else [])
    assert deaths == 4


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("last", [1, 2])
def test_a_request_that_nobody_answered_is_declined_once_however_the_process_dies_on_it(
    clinic: World, last: int, moment: Moment
) -> None:
    contact = patient(clinic, 1)
    booked(clinic, contact, START + 3 * HOUR, REQUESTED)

    def look(runtime: Runtime) -> None:
        bookings.decline_unanswered(runtime, runtime.now())
        advance(runtime, 100)

    look(clinic.runtime)
    clinic.run()
    assert clinic.platform.texts("U1") == [], "staff have an hour left to answer"
    clinic.clock.move(seconds=HOUR.total_seconds())
    assert killed(clinic.runtime, look, last, moment)
    look(clinic.runtime)
    clinic.run()
    assert held(clinic) == [(contact, BookingStatus.DECLINED)]
    assert ["お受けできませんでした" in text for text in clinic.platform.texts("U1")] == [True]


def listed(clinic: World, number: int) -> int:
    contact = patient(clinic, number)
    with clinic.db.write() as tx:
        tx.execute(insert(Waiting), {"contact_id": contact, "since": clinic.clock()})
    return contact


def one_time_free(clinic: World) -> None:
    """The clinic has one hour of Friday."""
    friday = Hours(weekday=4, opens="10:00", closes="11:00")
    with clinic.db.write() as tx:
        calendars.set_calendar(clinic.db, tx, Calendar(hours=(friday,), horizon_days=3))


def sweep(runtime: Runtime) -> None:
    bookings.sweep_list(runtime, runtime.now())
    advance(runtime, 100)


def held(clinic: World) -> list[tuple[int | None, str]]:
    with clinic.db.read() as look:
        rows = look.execute(select(Booking.contact_id, Booking.status).order_by(Booking.id))
        return [(row.contact_id, row.status) for row in rows]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("last", [1, 2])
def test_a_freed_time_is_offered_once_and_goes_on_once_however_the_process_dies_on_it(
    clinic: World, last: int, moment: Moment
) -> None:
    first, second = listed(clinic, 1), listed(clinic, 2)
    one_time_free(clinic)
    assert killed(clinic.runtime, sweep, last, moment)
    sweep(clinic.runtime)
    clinic.run()
    assert held(clinic) == [(first, BookingStatus.HELD)]
    [offer] = clinic.platform.texts()
    assert "空きが出ました" in offer

    clinic.clock.move(minutes=clinic.runtime.content.clinic.booking.hold_minutes)
    assert killed(clinic.runtime, sweep, last, moment)
    sweep(clinic.runtime)
    clinic.run()
    assert held(clinic) == [(first, BookingStatus.LAPSED), (second, BookingStatus.HELD)]
    assert [len(clinic.platform.texts(user)) for user in ("U1", "U2")] == [1, 1]

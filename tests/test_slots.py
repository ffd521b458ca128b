"""Free times hold what the calendar promises, whatever it says: hours, exceptions, holidays, buffers, seats, notice, clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import jpholiday
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.content.booking import Calendar, Hours
from bot.slots import Days, Slot, Span, Taken, free, free_seats, opening

TOKYO = ZoneInfo("Asia/Tokyo")
ZONES = [TOKYO, ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]
START = datetime(2026, 1, 1, tzinfo=UTC)

minutes = st.integers(0, 24 * 4 - 1).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
walls = st.tuples(minutes, minutes).map(sorted).filter(lambda pair: pair[0] < pair[1]).map(lambda p: (p[0], p[1]))
moments = st.integers(0, 2 * 365 * 24 * 4).map(lambda quarters: START + timedelta(minutes=15 * quarters))


@st.composite
def spans(draw: st.DrawFn, near: datetime) -> Span:
    starts = near + timedelta(minutes=15 * draw(st.integers(-96, 96 * 12)))
    return Span(starts, starts + timedelta(minutes=15 * draw(st.integers(1, 40))))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Days, list[Taken], datetime]:
    """A calendar of any shape, times that are taken, and a moment."""
    now = draw(moments)
    hours = tuple(
        Hours(weekday=draw(st.integers(0, 6)), opens=wall[0].strftime("%H:%M"), closes=wall[1].strftime("%H:%M"))
        for wall in draw(st.lists(walls, min_size=1, max_size=8))
    )
    calendar = Calendar(
        hours=hours,
        slot_minutes=draw(st.sampled_from([15, 30, 45, 60, 90])),
        buffer_minutes=draw(st.sampled_from([0, 10, 15, 30])),
        seats=draw(st.integers(1, 3)),
        notice_hours=draw(st.sampled_from([0, 1, 24, 48])),
        horizon_days=draw(st.integers(1, 10)),
        holidays=draw(st.booleans()),
    )
    zone = draw(st.sampled_from(ZONES))
    today = now.astimezone(zone).date()
    special = {
        today + timedelta(days=offset): tuple(draw(st.lists(walls, max_size=2)))
        for offset in draw(st.lists(st.integers(0, 10), max_size=4))
    }
    busy = tuple(draw(st.lists(spans(now), max_size=3)))
    taken = [Taken(span, draw(st.integers(1, calendar.seats))) for span in draw(st.lists(spans(now), max_size=6))]
    return Days(calendar, zone, special, busy), taken, now


def walls_of(days: Days, day: date) -> list[tuple[time, time]]:
    """Straight from the words of the calendar."""
    if day in days.special:
        return list(days.special[day])
    if not days.calendar.holidays and jpholiday.is_holiday(day):
        return []
    hours = [h for h in days.calendar.hours if h.weekday == day.weekday()]
    return [(time.fromisoformat(h.opens), time.fromisoformat(h.closes)) for h in hours]


def inside(slot: Slot, days: Days) -> bool:
    """Whether every quarter of an hour of it, as the clock on the wall shows it, lies in the hours of its day."""
    at = slot.span.starts
    while at < slot.span.ends:
        local = at.astimezone(days.zone)
        if not any(opens <= local.time() < closes for opens, closes in walls_of(days, local.date())):
            return False
        at += timedelta(minutes=5)
    return True


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_a_free_time_is_never_past_too_soon_too_far_or_outside_the_hours(
    world: tuple[Days, list[Taken], datetime],
) -> None:
    days, taken, now = world
    last = now.astimezone(days.zone).date() + timedelta(days=days.calendar.horizon_days)
    for slot in free(days, taken, now):
        assert slot.span.starts > now
        assert slot.span.starts - now >= timedelta(hours=days.calendar.notice_hours)
        assert slot.span.starts.astimezone(days.zone).date() <= last
        assert slot.span.ends - slot.span.starts == timedelta(minutes=days.calendar.slot_minutes)
        assert inside(slot, days)


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_a_free_seat_has_nobody_in_it_and_the_buffer_on_both_sides(world: tuple[Days, list[Taken], datetime]) -> None:
    days, taken, now = world
    buffer = timedelta(minutes=days.calendar.buffer_minutes)
    for slot in free(days, taken, now):
        assert slot.seats
        assert list(slot.seats) == sorted(set(slot.seats))
        assert set(slot.seats) <= set(range(1, days.calendar.seats + 1))
        assert not any(slot.span.meets(busy) for busy in days.busy)
        for one in taken:
            if one.seat in slot.seats:
                assert one.span.ends + buffer <= slot.span.starts or slot.span.ends + buffer <= one.span.starts


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_booking_whatever_is_free_until_nothing_is_makes_no_two_meet(
    world: tuple[Days, list[Taken], datetime],
) -> None:
    days, taken, now = world
    filled = list(taken)
    while slots := free(days, filled, now):
        filled += [Taken(slot.span, slot.seats[0]) for slot in slots[:1] + slots[-1:]][: 1 if len(slots) == 1 else 2]
        if len(filled) > len(taken) + 12:
            break
    buffer = timedelta(minutes=days.calendar.buffer_minutes)
    fresh = filled[len(taken) :]
    for index, one in enumerate(fresh):
        for other in (*taken, *fresh[:index]):
            if one.seat == other.seat:
                wide = Span(one.span.starts - buffer, one.span.ends + buffer)
                assert not wide.meets(other.span)


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_an_empty_calendar_with_nothing_taken_offers_every_whole_time_of_its_hours(
    world: tuple[Days, list[Taken], datetime],
) -> None:
    """Nothing is forgotten: a day's opening of n lengths gives n times (with buffers between)."""
    days, _, now = world
    plain = Days(days.calendar.model_copy(update={"notice_hours": 0}), days.zone, days.special, ())
    found = free(plain, [], now)
    lasts = timedelta(minutes=plain.calendar.slot_minutes)
    step = lasts + timedelta(minutes=plain.calendar.buffer_minutes)
    for offset in range(1, plain.calendar.horizon_days + 1):
        day = now.astimezone(plain.zone).date() + timedelta(days=offset)
        for span in opening(plain, day):
            whole = max(0, (span.ends - span.starts - lasts) // step + 1)
            starts = [slot.span.starts for slot in found if span.starts <= slot.span.starts < span.ends]
            assert starts == [span.starts + step * n for n in range(whole)]


def week(**changes: object) -> Days:
    """Open from ten to one on every weekday but Sunday, one seat, an hour each."""
    hours = tuple(Hours(weekday=day, opens="10:00", closes="13:00") for day in range(6))
    calendar = Calendar.model_validate({"hours": hours, "notice_hours": 0, "horizon_days": 7, **changes})
    return Days(calendar, TOKYO, {}, ())


def local(slots: tuple[Slot, ...]) -> list[str]:
    return [slot.span.starts.astimezone(TOKYO).strftime("%m/%d %H:%M") for slot in slots]


MONDAY = datetime(2026, 4, 6, 0, 0, tzinfo=UTC)
"""9:00 in Tokyo."""


def test_the_times_of_a_plain_day_follow_one_another() -> None:
    assert local(free(week(), [], MONDAY))[:4] == ["04/06 10:00", "04/06 11:00", "04/06 12:00", "04/07 10:00"]
    assert local(free(week(buffer_minutes=15), [], MONDAY))[:3] == ["04/06 10:00", "04/06 11:15", "04/07 10:00"]
    assert not [at for at in local(free(week(), [], MONDAY)) if at.startswith("04/12")], "closed on Sundays"


def test_a_national_holiday_is_closed_unless_the_calendar_or_an_exception_says_otherwise() -> None:
    before = datetime(2026, 4, 28, 0, 0, tzinfo=UTC)
    holiday = "04/29"
    assert not [at for at in local(free(week(), [], before)) if at.startswith(holiday)]
    assert [at for at in local(free(week(holidays=True), [], before)) if at.startswith(holiday)]
    special = {date(2026, 4, 29): ((time(15), time(16)),)}
    with_exception = Days(week().calendar, TOKYO, special, ())
    assert [at for at in local(free(with_exception, [], before)) if at.startswith(holiday)] == ["04/29 15:00"]


def test_an_exception_without_hours_closes_the_day() -> None:
    closed = Days(week().calendar, TOKYO, {date(2026, 4, 7): ()}, ())
    assert not [at for at in local(free(closed, [], MONDAY)) if at.startswith("04/07")]


def test_what_is_busy_elsewhere_is_busy_at_every_seat() -> None:
    ten = datetime(2026, 4, 6, 1, 0, tzinfo=UTC)
    busy = (Span(ten + timedelta(minutes=59), ten + timedelta(minutes=61)),)
    days = Days(week(seats=2).calendar, TOKYO, {}, busy)
    assert local(free(days, [], MONDAY))[:2] == ["04/06 12:00", "04/07 10:00"]


def test_a_second_seat_is_free_while_the_first_is_taken() -> None:
    ten = datetime(2026, 4, 6, 1, 0, tzinfo=UTC)
    hour = Span(ten, ten + timedelta(hours=1))
    days = week(seats=2)
    assert free(days, [Taken(hour, 1)], MONDAY)[0] == Slot(hour, (2,))
    assert free_seats(days, [Taken(hour, 1), Taken(hour, 2)], hour) == ()


@pytest.mark.parametrize(
    ("day", "whole_hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 7), 24)],
)
def test_a_day_of_23_or_25_hours_has_as_many_times(day: date, whole_hours: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    hours = tuple(Hours(weekday=n, opens="00:00", closes="23:59") for n in range(7))
    days = Days(Calendar(hours=hours, notice_hours=0, horizon_days=2, holidays=True), zone, {}, ())
    now = datetime.combine(day - timedelta(days=1), time(12), zone).astimezone(UTC)
    found = [slot for slot in free(days, [], now) if slot.span.starts.astimezone(zone).date() == day]
    assert len(found) == whole_hours - 1, "the last one would end after 23:59"
    assert len({slot.span.starts for slot in found}) == len(found)


@pytest.mark.parametrize(("opens", "closes"), [("25:00", "26:00"), ("12:00", "12:00"), ("13:00", "10:00")])
def test_hours_that_are_no_hours_are_refused(opens: str, closes: str) -> None:
    with pytest.raises(ValidationError):
        Hours(weekday=0, opens=opens, closes=closes)

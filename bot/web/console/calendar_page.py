"""The clinic's calendar: weekly hours, days that are different, how appointments are spaced, the other calendar, the feed."""

from datetime import date, time

from flask import Blueprint, Response, request
from pydantic import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from bot import audit, busy, calendars, schedule
from bot.access import Action
from bot.content.booking import Calendar
from bot.runtime import Runtime
from bot.slots import Wall
from bot.web.console.visit import House, go, me, needs, page

NUMBERS = ("slot_minutes", "buffer_minutes", "seats", "notice_hours", "horizon_days", "change_hours")
SPANS = 2
"""Openings of a day that the form has room for."""


def register(console: Blueprint, house: House) -> None:
    """The page and its forms."""

    @console.get("/calendar")
    @needs(Action.SEE_BOOKINGS)
    def calendar() -> Response:
        return _shown(house())

    @console.post("/calendar")
    @needs(Action.EDIT_BOOKINGS)
    def calendar_set() -> BaseResponse:
        return _set(house())

    @console.post("/calendar/days")
    @needs(Action.EDIT_BOOKINGS)
    def calendar_day() -> BaseResponse:
        return _set_day(house())

    @console.post("/calendar/days/<day>/drop")
    @needs(Action.EDIT_BOOKINGS)
    def calendar_day_drop(day: str) -> BaseResponse:
        found = _date(day)
        if found is not None:
            _write(house(), "special_day_dropped", {"day": day}, lambda tx: calendars.drop_special(tx, found))
        return go("calendar", "calendar.saved")

    @console.post("/calendar/other")
    @needs(Action.EDIT_BOOKINGS)
    def calendar_other() -> BaseResponse:
        return _set_other(house())

    @console.post("/calendar/feed")
    @needs(Action.SEE_BOOKINGS)
    def calendar_feed() -> BaseResponse:
        runtime, owner = house(), me().name
        if request.form.get("end"):
            _write(runtime, "feed_ended", {}, lambda tx: schedule.end_feed(tx, owner))
            return go("calendar", "calendar.saved")
        with runtime.db.write() as tx:
            key = schedule.new_feed(tx, owner, runtime.now())
            audit.note(tx, runtime.now(), owner, "feed_made", None, {})
        root = runtime.settings.public_url or request.host_url.rstrip("/")
        return _shown(runtime, feed=f"{root}/calendar/{key}.ics")


def _write(runtime: Runtime, action: str, detail: dict[str, str], work: object) -> None:
    with runtime.db.write() as tx:
        work(tx)  # type: ignore[operator]
        audit.note(tx, runtime.now(), me().name, action, None, detail)


def _shown(runtime: Runtime, status: int = 200, wrong: str = "", feed: str = "") -> Response:
    with runtime.db.read() as look:
        stands = calendars.standing(look, runtime.content)
        specials = calendars.specials(look)
        has_feed = schedule.has_feed(look, me().name)
    hours: list[list[tuple[str, str]]] = [[] for _ in range(7)]
    for one in stands.days.calendar.hours:
        hours[one.weekday].append((one.opens, one.closes))
    return page(
        "calendar",
        status,
        calendar=stands.days.calendar,
        hours=[(spans + [("", "")] * SPANS)[: max(SPANS, len(spans))] for spans in hours],
        numbers=NUMBERS,
        own=stands.own,
        specials=specials,
        other=stands.other,
        readable=stands.other.readable(runtime.now()),
        mode=runtime.content.clinic.booking.mode,
        weekdays=runtime.content.phrases.weekdays.to(me().locale).split(),
        has_feed=has_feed or bool(feed),
        feed=feed,
        wrong=wrong,
    )


def _set(runtime: Runtime) -> BaseResponse:
    if request.form.get("reset"):
        _write(runtime, "calendar_reset", {}, lambda tx: calendars.set_calendar(runtime.db, tx, None))
        return go("calendar", "calendar.saved")
    opened = [
        {"weekday": day, "opens": opens, "closes": closes}
        for day in range(7)
        for opens, closes in zip(
            request.form.getlist(f"opens{day}"), request.form.getlist(f"closes{day}"), strict=False
        )
        if opens or closes
    ]
    given = {name: request.form.get(name, "") for name in NUMBERS}
    try:
        found = Calendar.model_validate({**given, "hours": opened, "holidays": "holidays" in request.form})
    except ValidationError:
        return _shown(runtime, 400, "calendar.wrong")
    if not found.hours:
        return _shown(runtime, 400, "calendar.wrong_none")
    _write(runtime, "calendar_set", {}, lambda tx: calendars.set_calendar(runtime.db, tx, found))
    return go("calendar", "calendar.saved")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _set_day(runtime: Runtime) -> BaseResponse:
    day = _date(request.form.get("day", ""))
    hours = _walls(request.form.getlist("opens"), request.form.getlist("closes"))
    if day is None or hours is None:
        return _shown(runtime, 400, "calendar.wrong_day")
    note = request.form.get("note", "").strip()[:100]
    _write(
        runtime,
        "special_day_set",
        {"day": day.isoformat()},
        lambda tx: calendars.set_special(tx, day, hours, note),
    )
    return go("calendar", "calendar.saved")


def _walls(opens: list[str], closes: list[str]) -> tuple[Wall, ...] | None:
    """None for what are no hours; empty for a closed day."""
    found: list[Wall] = []
    for first, last in zip(opens, closes, strict=False):
        if not first and not last:
            continue
        try:
            wall = (time.fromisoformat(first), time.fromisoformat(last))
        except ValueError:
            return None
        if wall[0] >= wall[1] or wall[0].tzinfo is not None or wall[1].tzinfo is not None:
            return None
        found.append(wall)
    return tuple(found)


def _set_other(runtime: Runtime) -> BaseResponse:
    """Read at once, so that a wrong address shows at once."""
    url = request.form.get("url", "").strip()
    if url.startswith("webcal://"):
        url = "https://" + url.removeprefix("webcal://")
    if url and not busy.acceptable(url):
        return _shown(runtime, 400, "calendar.wrong_url")
    _write(runtime, "other_calendar_set", {}, lambda tx: calendars.set_other(runtime.db, tx, url))
    busy.tick(runtime)
    return go("calendar", "calendar.saved")

"""Free times of the clinic, worked out from its calendar and what is taken. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import jpholiday

from bot.content.booking import Calendar
from bot.content.rules import wall_moment


@dataclass(frozen=True, slots=True)
class Span:
    """From `starts` until before `ends`, both aware UTC."""

    starts: datetime
    ends: datetime

    def meets(self, other: "Span") -> bool:
        """Whether the two share any moment."""
        return self.starts < other.ends and other.starts < self.ends


@dataclass(frozen=True, slots=True)
class Taken:
    """A seat (1 and up) that somebody has for a while."""

    span: Span
    seat: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that can be had, and the seats that are free then, lowest first."""

    span: Span
    seats: tuple[int, ...]


_DAY = timedelta(days=1)

Wall = tuple[time, time]
"""Local opening and closing time of one day."""

Special = Mapping[date, tuple[Wall, ...]]
"""Days that are not as their weekday says; no hours: closed. They win over holidays."""


@dataclass(frozen=True, slots=True)
class Days:
    """The calendar with everything that hangs on its place: `calendar.hours` are not empty. `busy` is taken at every
    seat."""

    calendar: Calendar
    zone: ZoneInfo
    special: Special
    busy: tuple[Span, ...]


def opening(days: Days, day: date) -> tuple[Span, ...]:
    """When it is open on a local day; spans that touch are one."""
    local = days.special.get(day)
    if local is None:
        holiday = not days.calendar.holidays and _is_holiday(day)
        hours = () if holiday else days.calendar.hours
        local = tuple(
            (time.fromisoformat(h.opens), time.fromisoformat(h.closes)) for h in hours if h.weekday == day.weekday()
        )
    spans: list[Span] = []
    for opens, closes in sorted(local):
        span = Span(*(wall_moment(datetime.combine(day, at), days.zone) for at in (opens, closes)))
        if spans and span.starts <= spans[-1].ends:
            spans[-1] = Span(spans[-1].starts, max(spans[-1].ends, span.ends))
        elif span.starts < span.ends:
            spans.append(span)
    return tuple(spans)


def free(days: Days, taken: Sequence[Taken], now: datetime) -> tuple[Slot, ...]:
    """Every time that can be booked at `now` (aware UTC), the earliest first."""
    calendar = days.calendar
    today = now.astimezone(days.zone).date()
    earliest = now + timedelta(hours=calendar.notice_hours)
    found: list[Slot] = []
    for offset in range(calendar.horizon_days + 1):
        grid = [s for s in _grid(days, today + timedelta(days=offset)) if s.starts >= earliest and s.starts > now]
        if not grid:
            continue
        around = Span(grid[0].starts - _DAY, grid[-1].ends + _DAY)
        near = [one for one in taken if one.span.meets(around)]
        slots = (Slot(span, free_seats(days, near, span)) for span in grid)
        found += (slot for slot in slots if slot.seats)
    return tuple(found)


def free_seats(days: Days, taken: Sequence[Taken], span: Span) -> tuple[int, ...]:
    """The seats that are free for that long, with the buffer on both sides, lowest first; none while busy elsewhere."""
    if any(span.meets(busy) for busy in days.busy):
        return ()
    buffer = timedelta(minutes=days.calendar.buffer_minutes)
    wide = Span(span.starts - buffer, span.ends + buffer)
    full = {one.seat for one in taken if one.span.meets(wide)}
    return tuple(seat for seat in range(1, days.calendar.seats + 1) if seat not in full)


def length(calendar: Calendar) -> timedelta:
    """Of one appointment."""
    return timedelta(minutes=calendar.slot_minutes)


def _grid(days: Days, day: date) -> Iterator[Span]:
    """The times of one day, one after the other from each opening on, as many as fit."""
    lasts = length(days.calendar)
    step = lasts + timedelta(minutes=days.calendar.buffer_minutes)
    for span in opening(days, day):
        starts = span.starts
        while starts + lasts <= span.ends:
            yield Span(starts, starts + lasts)
            starts += step


@lru_cache(maxsize=1024)
def _is_holiday(day: date) -> bool:
    """Looking one up takes longer than everything else about a day."""
    return bool(jpholiday.is_holiday(day))

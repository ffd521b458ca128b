"""iCalendar (RFC 5545) both ways: appointments for somebody's own calendar, and what another calendar says is taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event

from bot.slots import Span

REPEATS = 2000
"""Occurrences of one event that are looked at: two a day over a calendar's whole horizon many times over."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An appointment as a calendar shows it. `revision` grows with each change."""

    uid: str
    span: Span
    summary: str
    description: str
    location: str
    status: Literal["TENTATIVE", "CONFIRMED", "CANCELLED"]
    revision: int
    changed_at: datetime


def write(name: str, entries: Sequence[Entry]) -> bytes:
    """A whole calendar. Times stand in UTC, which every calendar shows in its own zone."""
    calendar = Calendar()
    calendar.add("prodid", "-//selfcare-guide//assessments//JA")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    for entry in entries:
        event = Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", entry.changed_at.astimezone(UTC))
        event.add("dtstart", entry.span.starts.astimezone(UTC))
        event.add("dtend", entry.span.ends.astimezone(UTC))
        event.add("summary", entry.summary)
        event.add("status", entry.status)
        event.add("sequence", entry.revision)
        if entry.description:
            event.add("description", entry.description)
        if entry.location:
            event.add("location", entry.location)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def busy(data: bytes, zone: ZoneInfo, begins: datetime, ends: datetime) -> tuple[Span, ...]:
    """What is taken between two moments, repetitions included. Times without a zone are local. Raises ValueError for what is
    no calendar, or cannot be understood to its end: half a calendar would offer times that are taken."""
    try:
        calendar = Calendar.from_ical(data)
        events: list[Any] = list(calendar.walk("VEVENT"))
        if calendar.name != "VCALENDAR":
            raise ValueError("no calendar")
        moved = {(str(e["UID"]), _moment(e["RECURRENCE-ID"].dt, zone)) for e in events if "RECURRENCE-ID" in e}
        found = [span for e in events if _takes(e) for span in _spans(e, zone, begins, ends, moved)]
    except (KeyError, AttributeError, TypeError, IndexError, OverflowError) as error:
        raise ValueError(type(error).__name__) from error
    return tuple(sorted((s for s in found if s.starts < ends and s.ends > begins), key=lambda s: s.starts))


def _takes(event: Any) -> bool:
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    return not cancelled and str(event.get("TRANSP", "OPAQUE")).upper() != "TRANSPARENT"


def _spans(
    event: Any, zone: ZoneInfo, begins: datetime, ends: datetime, moved: set[tuple[str, datetime]]
) -> Iterator[Span]:
    starts = event["DTSTART"].dt
    lasts = _lasts(event, starts)
    if "RRULE" not in event and "RDATE" not in event:
        first = _moment(starts, zone)
        yield Span(first, first + lasts)
        return
    skipped = {_moment(one.dt, zone) for part in _listed(event, "EXDATE") for one in part.dts}
    own = "RECURRENCE-ID" not in event
    for at in _repeated(event, starts, zone, begins - lasts, ends):
        if at not in skipped and not (own and (str(event.get("UID", "")), at) in moved):
            yield Span(at, at + lasts)


def _lasts(event: Any, starts: date) -> timedelta:
    if "DTEND" in event:
        found: timedelta = event["DTEND"].dt - starts
        return found
    if "DURATION" in event:
        lasts: timedelta = event["DURATION"].dt
        return lasts
    return timedelta(0) if isinstance(starts, datetime) else timedelta(days=1)


def _repeated(event: Any, starts: date, zone: ZoneInfo, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """Every start in the window. The wall clock of the event's own zone repeats, not the moment in UTC."""
    wall = starts if isinstance(starts, datetime) else datetime.combine(starts, time())
    own_zone = wall.tzinfo or zone
    naive = wall.replace(tzinfo=None)
    for rule in _listed(event, "RRULE"):
        text, until = _without_end(rule, own_zone)
        for number, one in enumerate(rrulestr(text, dtstart=naive)):
            at = one.replace(tzinfo=own_zone).astimezone(UTC)
            if at > ends or (until is not None and one > until):
                break
            if number >= REPEATS * 20:
                raise ValueError("too many repetitions")
            if at >= begins:
                yield at
    for part in _listed(event, "RDATE"):
        yield from (_moment(one.dt, zone) for one in part.dts if isinstance(one.dt, date))


def _without_end(rule: Any, own_zone: Any) -> tuple[str, datetime | None]:
    """The rule as dateutil reads it, and its end on the event's own wall clock."""
    until = rule.get("UNTIL")
    kept = ";".join(part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL="))
    if not until:
        return kept, None
    last = until[0]
    if not isinstance(last, datetime):
        return kept, datetime.combine(last, time.max)
    return kept, (last.astimezone(own_zone) if last.tzinfo else last).replace(tzinfo=None)


def _listed(event: Any, name: str) -> list[Any]:
    found = event.get(name)
    return [] if found is None else found if isinstance(found, list) else [found]


def _moment(at: date, zone: ZoneInfo) -> datetime:
    """A day begins at midnight there."""
    wall = at if isinstance(at, datetime) else datetime.combine(at, time())
    return (wall if wall.tzinfo else wall.replace(tzinfo=zone)).astimezone(UTC)

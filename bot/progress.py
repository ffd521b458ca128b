"""How it has been going, counted from the routines that a patient began. Local days; a number, never a judgement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from bot.store.tables import Session

POINTS = 12
"""Sessions in the pain trend: as many as can be told apart on a phone."""

WEEK_DAYS = 7
FORGIVEN = timedelta(days=2)
"""Care on one day and on the next but one is still care that goes on."""


@dataclass(frozen=True, slots=True)
class Point:
    """Pain 0-10 around one routine, None where it was not told."""

    day: date
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """`week` and `total` count routines begun, in the last seven local days and ever; `streak` counts days with care.
    `points` are the latest, oldest first."""

    week: int
    total: int
    streak: int
    points: tuple[Point, ...]


def read(tx: Connection, contact_id: int, zone: ZoneInfo, now: datetime) -> Progress:
    """Everything at zero for somebody who began nothing."""
    query = select(Session.started_at, Session.pain_before, Session.pain_after)
    rows = tx.execute(
        query.where(Session.contact_id == contact_id, Session.started_at.is_not(None)).order_by(Session.id)
    )
    points = [Point(at.astimezone(zone).date(), before, after) for at, before, after in rows if at]
    today = now.astimezone(zone).date()
    days = [point.day for point in points]
    told = [point for point in points if point.before is not None or point.after is not None]
    week = sum(today - day < timedelta(days=WEEK_DAYS) for day in days)
    return Progress(week, len(points), streak(days, today), tuple(told[-POINTS:]))


def streak(days: Iterable[date], today: date) -> int:
    """Days with care that follow each other up to now, a single day off forgiven each time."""
    count, later = 0, today
    for day in sorted(set(days), reverse=True):
        if later - day > FORGIVEN:
            break
        count, later = count + 1, day
    return count

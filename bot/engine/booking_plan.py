"""What is said around an appointment, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.content.booking import Booking
from bot.content.rules import QuietHours, wall_moment
from bot.messages import Notice

DAY_BEFORE_USEFUL = timedelta(hours=4)
SOON_USEFUL = timedelta(minutes=90)
AFTER_USEFUL = timedelta(hours=12)
"""How late each may still come after an outage."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A notice, due at `at`, of no use from `until` on (aware UTC)."""

    what: Notice
    at: datetime
    until: datetime


def notices(rules: Booking, quiet: QuietHours, zone: ZoneInfo, starts: datetime, ends: datetime) -> tuple[Planned, ...]:
    """Those of one appointment in their order. One that would come in the quiet hours comes after them, or not at all."""
    local = starts.astimezone(zone)
    evening = datetime.combine(local.date() - timedelta(days=1), rules.day_before_at)
    before = wall_moment(evening, zone)
    soon = starts - timedelta(minutes=rules.soon_minutes)
    after = ends + timedelta(minutes=rules.after_minutes)
    wanted = (
        Planned("day_before", before, min(before + DAY_BEFORE_USEFUL, soon)),
        Planned("soon", soon, min(soon + SOON_USEFUL, starts)),
        Planned("after", after, after + AFTER_USEFUL),
    )
    moved = (Planned(one.what, _awake(one.at, quiet, zone), one.until) for one in wanted)
    return tuple(one for one in moved if one.at < one.until)


def following(planned: tuple[Planned, ...], now: datetime) -> Planned | None:
    """The next one after `now`."""
    return next((one for one in planned if one.at > now), None)


def _awake(at: datetime, quiet: QuietHours, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    if not quiet.hold(local.time()):
        return at
    ends = datetime.combine(local.date(), quiet.ends)
    return wall_moment(ends if local.time() < quiet.ends else ends + timedelta(days=1), zone)

"""When a reminder is due next: a time of day on some weekdays, as the clock on the patient's wall shows it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAILY = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Nothing is sent from `starts` until before `ends`, local time; over midnight when it ends before it starts. The
    same time twice: no quiet hours."""

    starts: time
    ends: time

    def hold(self, at: time) -> bool:
        """Whether `at` is quiet."""
        if self.starts <= self.ends:
            return self.starts <= at < self.ends
        return at >= self.starts or at < self.ends


@dataclass(frozen=True, slots=True)
class ReminderRule:
    """`at` on `days` (0 is Monday, at least one) in the time zone `zone`."""

    at: time
    days: tuple[int, ...]
    zone: str


def next_fire(rule: ReminderRule, after: datetime, quiet: QuietHours) -> datetime:
    """The first moment after `after` (aware UTC, and so is the answer). A time that the clocks skip fires as they go on;
    one that they show twice fires the first time. A time in the quiet hours waits for their end."""
    zone = ZoneInfo(rule.zone)
    today = after.astimezone(zone).date()
    days = (today + timedelta(days=offset) for offset in range(-2, 10))
    found = (_fire(day, rule.at, zone, quiet) for day in days if day.weekday() in rule.days)
    return next(moment for moment in found if moment > after)


def _fire(day: date, at: time, zone: ZoneInfo, quiet: QuietHours) -> datetime:
    moment = wall_moment(datetime.combine(day, at), zone)
    local = moment.astimezone(zone)
    for _ in range(2):  # the end of the quiet hours may be skipped itself
        if not quiet.hold(local.time()):
            break
        ends = datetime.combine(local.date(), quiet.ends)
        moment = wall_moment(ends if local.time() < quiet.ends else ends + timedelta(days=1), zone)
        local = moment.astimezone(zone)
    return moment


def wall_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """When a wall clock shows `wall` for the first time, or next shows something later when it skips that."""
    early, late = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early.astimezone(zone).replace(tzinfo=None) >= wall:
        return early
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            late = middle
        else:
            early = middle
    return late

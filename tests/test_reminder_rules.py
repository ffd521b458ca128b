"""When reminders are due: every time zone, every set of weekdays, daylight saving both ways, quiet hours over midnight."""

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.content.rules import DAILY, QuietHours, ReminderRule, next_fire

LOUD = QuietHours(time(0), time(0))
NIGHT = QuietHours(time(22), time(6))
ZONES = sorted(available_timezones() - {"localtime"})

times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
masks = st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))
rules = st.builds(ReminderRule, times, masks, st.sampled_from(ZONES))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
quiets = st.one_of(st.just(LOUD), st.just(NIGHT), st.builds(QuietHours, times, times))


def due(zone: str, at: time, after: str, quiet: QuietHours = LOUD, days: tuple[int, ...] = DAILY) -> str:
    """The next reminder on that zone's wall."""
    begin = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return next_fire(ReminderRule(at, days, zone), begin, quiet).astimezone(ZoneInfo(zone)).isoformat()


def test_a_time_of_day_comes_today_or_else_tomorrow() -> None:
    assert due("Asia/Tokyo", time(21), "2026-04-06T10:00") == "2026-04-06T21:00:00+09:00"
    assert due("Asia/Tokyo", time(21), "2026-04-06T21:00") == "2026-04-07T21:00:00+09:00"


def test_only_the_chosen_weekdays_count() -> None:
    assert due("Asia/Tokyo", time(7), "2026-04-10T08:00", days=(0, 4)) == "2026-04-13T07:00:00+09:00"


def test_a_time_that_the_clocks_skip_fires_as_they_go_on() -> None:
    assert due("Europe/Berlin", time(2, 30), "2026-03-28T12:00") == "2026-03-29T03:00:00+02:00"
    assert due("Europe/Berlin", time(2, 30), "2026-03-29T12:00") == "2026-03-30T02:30:00+02:00"


def test_a_time_that_the_clocks_show_twice_fires_once() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    rule = ReminderRule(time(2, 30), DAILY, "Europe/Berlin")
    assert next_fire(rule, first - timedelta(hours=3), LOUD) == first
    assert next_fire(rule, first, LOUD) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_day_that_a_country_skipped_fires_as_its_clocks_go_on() -> None:
    assert due("Pacific/Apia", time(9), "2011-12-29T10:00") == "2011-12-31T00:00:00+14:00"


def test_a_time_in_the_quiet_hours_waits_for_their_end() -> None:
    assert due("Asia/Tokyo", time(23, 30), "2026-04-06T10:00", NIGHT) == "2026-04-07T06:00:00+09:00"
    assert due("Asia/Tokyo", time(5), "2026-04-06T10:00", NIGHT) == "2026-04-07T06:00:00+09:00"
    assert due("Asia/Tokyo", time(6), "2026-04-06T05:00", NIGHT) == "2026-04-06T06:00:00+09:00"


def test_quiet_hours_that_end_in_a_skipped_hour_end_as_the_clocks_go_on() -> None:
    quiet = QuietHours(time(22), time(2, 30))
    assert due("Europe/Berlin", time(23), "2026-03-28T12:00", quiet) == "2026-03-29T03:00:00+02:00"


@settings(max_examples=200, deadline=None)
@given(rules, moments, quiets)
def test_a_reminder_is_always_later_and_never_more_than_ten_days_off(
    rule: ReminderRule, after: datetime, quiet: QuietHours
) -> None:
    found = next_fire(rule, after, quiet)
    assert after < found <= after + timedelta(days=10)
    assert found.tzinfo is UTC


@settings(max_examples=200, deadline=None)
@given(rules, moments)
def test_without_quiet_hours_it_is_the_chosen_time_on_a_chosen_day_unless_the_clocks_skip_it(
    rule: ReminderRule, after: datetime
) -> None:
    zone = ZoneInfo(rule.zone)
    found = next_fire(rule, after, LOUD)
    local = found.astimezone(zone)
    if local.time() != rule.at:
        before = (found - timedelta(seconds=1)).astimezone(zone)
        assert before.replace(tzinfo=None) + timedelta(seconds=1) < local.replace(tzinfo=None), "no clocks went on"
    else:
        assert local.weekday() in rule.days
        assert local.fold == 0, "the second time of a doubled hour"


@settings(max_examples=200, deadline=None)
@given(rules, moments, quiets)
def test_nothing_fires_in_the_quiet_hours(rule: ReminderRule, after: datetime, quiet: QuietHours) -> None:
    local = next_fire(rule, after, quiet).astimezone(ZoneInfo(rule.zone))
    assert not quiet.hold(local.time())


@settings(max_examples=60, deadline=None)
@given(rules, moments)
def test_there_is_one_reminder_for_each_chosen_day(rule: ReminderRule, after: datetime) -> None:
    zone = ZoneInfo(rule.zone)
    at, end = after, after + timedelta(days=60)
    seen: list[datetime] = []
    while (at := next_fire(rule, at, LOUD)) < end:
        seen.append(at)
    first, last = after.astimezone(zone).date(), end.astimezone(zone).date()
    days = sum((first + timedelta(days=n)).weekday() in rule.days for n in range((last - first).days + 1))
    assert days - 3 <= len(seen) <= days + 1
    assert seen == sorted(set(seen))


@settings(max_examples=300, deadline=None)
@given(rules, moments, quiets, st.integers(0, 3600 * 24))
def test_asking_a_little_later_never_gives_an_earlier_reminder(
    rule: ReminderRule, after: datetime, quiet: QuietHours, seconds: int
) -> None:
    first = next_fire(rule, after, quiet)
    later = after + timedelta(seconds=seconds)
    second = next_fire(rule, later, quiet)
    assert second >= first
    if later < first:
        assert second == first


# --- every zone, every set of weekdays, every change of the clocks ----------------------------------------------------

MASKS = [tuple(day for day in range(7) if mask >> day & 1) for mask in range(1, 128)]
MASKS_A_ZONE = int(os.environ.get("MASKS_A_ZONE", "6"))
"""Of the 127; each zone gets others, so that all are met. 127 is all of them with all zones."""

YEAR = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """The moments of the year at which the zone's clocks jump, to the minute."""
    days = [YEAR + timedelta(days=n) for n in range(366)]
    for before, after in itertools.pairwise(days):
        was = before.astimezone(zone).utcoffset()
        if was == after.astimezone(zone).utcoffset():
            continue
        low, high = before, after
        while high - low > timedelta(minutes=1):
            middle = low + (high - low) // 2
            low, high = (middle, high) if middle.astimezone(zone).utcoffset() == was else (low, middle)
        yield (high + timedelta(seconds=30)).replace(second=0, microsecond=0)


def watched(zone: ZoneInfo, at: time, days: tuple[int, ...], after: datetime) -> datetime:
    """The next reminder by somebody who looks at the clock on the wall every quarter of an hour and notes, for each chosen
    day, when it first shows the time or something later."""
    begin = (after - timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    looks = [begin + QUARTER * n for n in range(4 * 24 * 11)]
    walls = [look.astimezone(zone).replace(tzinfo=None) for look in looks]
    found = []
    for offset in range(-1, 9):
        day = (after.astimezone(zone) + timedelta(days=offset)).date()
        if day.weekday() in days:
            wanted = datetime.combine(day, at)
            found.append(next(look for look, wall in zip(looks, walls, strict=True) if wall >= wanted))
    return min(moment for moment in found if moment > after)


def test_in_every_zone_on_every_set_of_weekdays_it_is_the_next_chosen_day() -> None:
    met = set()
    for number, name in enumerate(ZONES):
        zone, at = ZoneInfo(name), time(number % 24, 15 * (number % 4))
        for nth in range(MASKS_A_ZONE):
            days = MASKS[(number * MASKS_A_ZONE + nth) % len(MASKS)]
            met.add(days)
            after = YEAR + timedelta(days=(number * 7 + nth * 53) % 365, hours=nth)
            found = next_fire(ReminderRule(at, days, name), after, LOUD)
            local = found.astimezone(zone)
            gap = (local.date() - after.astimezone(zone).date()).days
            assert found > after
            assert local.weekday() in days
            assert local.time() >= at, name
            between = ((after.astimezone(zone) + timedelta(days=n)).weekday() for n in range(1, gap))
            assert not any(day in days for day in between), (name, days)
    assert len(met) == len(MASKS)


def test_at_every_change_of_the_clocks_of_every_zone_it_is_when_the_wall_first_shows_it() -> None:
    jumps = {name: list(changes(ZoneInfo(name))) for name in ZONES}
    assert sum(map(bool, jumps.values())) > 100
    once: dict[tuple[object, ...], str] = {}
    for name, moments_of_zone in jumps.items():  # zones with the same clocks around the year say the same
        once.setdefault((*moments_of_zone, *(m.astimezone(ZoneInfo(name)).utcoffset() for m in moments_of_zone)), name)
    for number, name in enumerate(once.values()):
        zone, days = ZoneInfo(name), MASKS[(number * 37) % len(MASKS)]
        for jump in jumps[name]:
            wall = jump.astimezone(zone).replace(tzinfo=None)
            for quarters in (-5, -4, -2, 0, 2, 4):
                at = (wall + quarters * QUARTER).time()
                for after in (jump - timedelta(hours=20), jump + timedelta(minutes=20)):
                    for chosen in (DAILY, days):
                        expected = watched(zone, at, chosen, after)
                        assert next_fire(ReminderRule(at, chosen, name), after, LOUD) == expected, (name, at, after)


def test_around_every_change_of_the_clocks_nothing_comes_in_quiet_hours_over_midnight() -> None:
    night = QuietHours(time(22), time(2, 30))
    for name in ZONES:
        zone = ZoneInfo(name)
        for jump in changes(zone):
            for at in (time(21, 59), time(22), time(23, 30), time(0), time(2, 15), time(2, 30)):
                for hours in (-30, -3, 3):
                    found = next_fire(ReminderRule(at, DAILY, name), jump + timedelta(hours=hours), night)
                    assert not night.hold(found.astimezone(zone).time()), (name, at)

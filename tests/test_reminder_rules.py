"""When reminders are due: every time zone, every set of weekdays, daylight saving both ways, quiet hours over midnight."""

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


@settings(max_examples=600, deadline=None)
@given(rules, moments, quiets)
def test_a_reminder_is_always_later_and_never_more_than_ten_days_off(
    rule: ReminderRule, after: datetime, quiet: QuietHours
) -> None:
    found = next_fire(rule, after, quiet)
    assert after < found <= after + timedelta(days=10)
    assert found.tzinfo is UTC


@settings(max_examples=600, deadline=None)
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


@settings(max_examples=600, deadline=None)
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

"""How appointments are spoken of: days, times, cards and buttons. Every button says what it does whenever it is tapped, so
that none is too old."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from bot.content.booking import BookingLabel
from bot.content.model import Wording
from bot.engine.diary import Appointment, Diary, Free
from bot.engine.draft import Draft
from bot.messages import Card, Carousel, Choice, Command, PickToken, Words

BOOKING = "booking"
"""Marks the buttons of appointments: `booking/<what>`."""

DAYS = 9
"""Days side by side; a tenth card leads to the later ones (LINE takes twelve bubbles, and ten are enough to swipe)."""

NEAR = 5
"""Days shown around one that is full."""

TIMES = 8
"""Times on one card."""

_STAMP = "%Y%m%dT%H%M"


def button(draft: Draft, label: BookingLabel, what: str, option: str = "yes", main: bool = False) -> Choice:
    """A button of appointments."""
    text = draft.text(draft.content.booking.labels[label])
    return Choice(text, token=PickToken(0, f"{BOOKING}/{what}", option), style="main" if main else "plain")


def stamp(at: datetime) -> str:
    """A time as it stands in a button."""
    return at.astimezone(UTC).strftime(_STAMP)


def from_stamp(text: str) -> datetime | None:
    """None for what `stamp` did not write."""
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def local_day(draft: Draft, at: datetime) -> date:
    """The day there, on the clinic's calendar."""
    return at.astimezone(draft.facts.zone).date()


def day_words(draft: Draft, day: date) -> str:
    """11/24（火）"""
    name = draft.text(draft.content.phrases.weekdays).split()[day.weekday()]
    return f"{day.month}/{day.day}（{name}）" if draft.state.locale == "ja" else f"{name} {day.month}/{day.day}"


def clock(draft: Draft, at: datetime) -> str:
    """14:00"""
    local = at.astimezone(draft.facts.zone)
    return f"{local.hour}:{local.minute:02}"


def values(draft: Draft, one: Free | Appointment) -> Mapping[str, str]:
    """What fills `{day}`, `{time}` and `{until}`."""
    day = day_words(draft, local_day(draft, one.starts_at))
    return {"day": day, "time": clock(draft, one.starts_at), "until": clock(draft, one.ends_at)}


def when(draft: Draft, one: Free | Appointment) -> str:
    """11/24（火） 14:00〜15:00"""
    return draft.text(draft.content.booking.when, values(draft, one))


def say(
    draft: Draft, wording: Wording, *choices: Choice, about: Free | Appointment | None = None, note: bool = False
) -> None:
    """A card by the way: the question that waits goes on waiting."""
    words = draft.content.booking
    text = draft.text(wording, values(draft, about) if about else {})
    draft.say(Card(draft.text(words.title), text, note=draft.text(words.note) if note else "", choices=choices))
    go_on(draft)


def go_on(draft: Draft) -> None:
    """The way back to what waits, or to the menu."""
    waits = draft.state.waiting is not None
    draft.quick(*(draft.command(c) for c in ((Command.GO_ON,) if waits else (Command.TODAY, Command.MENU))))


def days(draft: Draft, diary: Diary, page: int) -> None:
    """The next days with free times, side by side."""
    words = draft.content.booking
    listed = list(_by_day(draft, diary).items())
    start = page * DAYS if page * DAYS < len(listed) else 0
    cards = [_day(draft, day, times) for day, times in listed[start : start + DAYS]]
    if start + DAYS < len(listed):
        more = button(draft, "more_days", "days", str(start // DAYS + 1), main=True)
        cards.append(_calendar(draft, listed[0][0], listed[-1][0], more))
    draft.say(Words(f"{draft.text(words.intro)}\n{draft.text(words.note)}"), Carousel(tuple(cards)))
    go_on(draft)


def near(draft: Draft, diary: Diary, wanted: date) -> None:
    """The free days around one that has no time free."""
    by_day = _by_day(draft, diary)
    nearest = sorted(sorted(by_day, key=lambda day: (abs(day - wanted), day))[:NEAR])
    cards = [_day(draft, day, by_day[day]) for day in nearest]
    if len(by_day) > NEAR:
        cards.append(_calendar(draft, min(by_day), max(by_day), button(draft, "other_day", "days", "0")))
    said = draft.text(draft.content.booking.day_full, {"day": day_words(draft, wanted)})
    draft.say(Words(said), Carousel(tuple(cards)))
    go_on(draft)


def _by_day(draft: Draft, diary: Diary) -> Mapping[date, Sequence[Free]]:
    by_day: dict[date, list[Free]] = {}
    for free in diary.free:
        by_day.setdefault(local_day(draft, free.starts_at), []).append(free)
    return by_day


def _calendar(draft: Draft, first: date, last: date, more: Choice) -> Card:
    """The way to all other days: a page further, or the channel's own calendar."""
    labels = draft.content.booking.labels
    token = PickToken(0, f"{BOOKING}/day", "pick")
    days = (first.isoformat(), last.isoformat())
    pick = Choice(draft.text(labels["pick_date"]), token=token, picker="date", between=days)
    return Card(draft.text(labels["more_days"]), choices=(more, pick))


def _day(draft: Draft, day: date, times: Sequence[Free]) -> Card:
    words = draft.content.booking
    shown = "  ".join(clock(draft, free.starts_at) for free in times[:TIMES])
    more = " …" if len(times) > TIMES else ""
    text = draft.text(words.free_day, {"count": str(len(times))})
    name = day_words(draft, day)
    label = draft.text(words.labels["pick_day"], {"day": name})
    pick = Choice(label, token=PickToken(0, f"{BOOKING}/day", day.isoformat()), style="main")
    return Card(name, text, note=shown + more, choices=(pick,))


def times(draft: Draft, diary: Diary, day: date) -> bool:
    """The free times of a day, as buttons; False when there is none left."""
    words = draft.content.booking
    free = [one for one in diary.free if local_day(draft, one.starts_at) == day]
    if not free:
        return False
    text = draft.text(words.ask_time, {"day": day_words(draft, day)})
    cards = []
    for start in range(0, len(free), TIMES):
        some = free[start : start + TIMES]
        choices = tuple(
            Choice(clock(draft, one.starts_at), token=PickToken(0, f"{BOOKING}/time", stamp(one.starts_at)))
            for one in some
        )
        last = (button(draft, "other_day", "days", "0"),) if start + TIMES >= len(free) else ()
        cards.append(Card(day_words(draft, day), text, choices=(*choices, *last), tone="question"))
    draft.say(cards[0] if len(cards) == 1 else Carousel(tuple(cards)))
    go_on(draft)
    return True


def shown(draft: Draft, one: Appointment | Free, head: Wording, *more: Choice, bring: bool = True) -> None:
    """An appointment with its place and everything that can be done about it. Whoever was told to see a doctor first reads
    that, too."""
    words, clinic = draft.content.booking, draft.content.clinic
    lines = [draft.text(clinic.address)] if clinic.address else []
    text = f"{draft.text(head)}\n{when(draft, one)}"
    if bring:
        lines.append(draft.text(words.bring))
        if draft.state.lock is not None:
            text = f"{draft.text(words.while_locked)}\n{text}"
    draft.say(Card(draft.text(words.title), text, lines=tuple(lines), choices=more))
    go_on(draft)


def ahead(draft: Draft, wording: Wording) -> str | None:
    """A sentence about their appointment, with its `{day}` and `{time}`; None when none lies before them."""
    at = draft.state.assessment_at
    if at is None or at <= draft.now or draft.content.clinic.booking.mode == "elsewhere":
        return None
    return draft.text(wording, {"day": day_words(draft, local_day(draft, at)), "time": clock(draft, at)})


def mention(draft: Draft, wording: Wording) -> None:
    """Their appointment by the way, if one lies before them: it is never kept or dropped without a word. It leaves room for a
    question after it."""
    text = ahead(draft, wording)
    if text is None or draft.room < 2:
        return
    choices = (button(draft, "change", "change"), button(draft, "cancel", "cancel"))
    draft.say(Card(draft.text(draft.content.booking.title), text, choices=choices))


def ways(draft: Draft, *, ics: bool = True) -> tuple[Choice, ...]:
    """What goes with a standing appointment: changing it, the map, the calendar file."""
    change = button(draft, "change", "change")
    cancel = button(draft, "cancel", "cancel")
    label = draft.text(draft.content.booking.labels["ics"])
    page = (Choice(label, page="appointment"),) if ics and draft.facts.pages else ()
    return (change, cancel, *page, *place(draft))


def place(draft: Draft) -> tuple[Choice, ...]:
    """The map and the phone, as far as the clinic has set them."""
    clinic = draft.content.clinic
    return tuple(choice for choice in draft.links() if choice.uri != clinic.booking_url)


def deadline(diary: Diary, one: Appointment) -> datetime:
    """Until when the patient may change or cancel it."""
    return one.starts_at - timedelta(hours=diary.change_hours)

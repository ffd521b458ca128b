"""Patients of every kind over twelve weeks: every rule of nudges.toml reaches its patient, and nobody else is reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bot.content.model import Content
from bot.engine.diary import Book, Diary, Free, LogNudge, SettleNudge
from bot.engine.state import Facts, State, Turn
from bot.engine.step import step
from bot.messages import Card, Carousel, Choice, Command, Commanded, Event, Message, Picked, PickToken, Said

BEGIN = datetime(2026, 4, 6, 11, 0, tzinfo=UTC)
DAYS = 84
NONE = ("none", "no", "done", "next", "begin")
"""What a well patient taps where nothing else is said."""


def buttons(message: Message) -> list[Choice]:
    cards = [p for p in message.parts if isinstance(p, Card)]
    cards += [card for p in message.parts if isinstance(p, Carousel) for card in p.cards]
    return [*(choice for card in cards for choice in card.choices), *message.quick]


@dataclass
class Simulated:
    """A patient in front of the engine alone. `pain` gives the number told before and after care, by day; `answers` what
    is tapped, by question or item."""

    content: Content
    answers: Mapping[str, str] = field(default_factory=dict)
    pain: Callable[[int, bool], int] = lambda day, after: 3 if after else 4
    now: datetime = BEGIN
    state: State = field(default_factory=State)
    nudged: list[tuple[int, str]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    message: Message | None = None
    day: int = 0
    free: tuple[Free, ...] = ()

    def do(self, event: Event) -> Turn:
        """One event, with the diary if it is asked for."""
        zone = ZoneInfo("Asia/Tokyo")
        turn = step(self.content, self.state, Facts(self.now, zone), event)
        if turn.needs_diary:
            diary = Diary(self.free, (), False, True, 1, False)
            turn = step(self.content, self.state, Facts(self.now, zone, diary=diary), event)
        for effect in turn.effects:
            if isinstance(effect, LogNudge):
                assert turn.state.lock is None
                assert turn.message is not None
                assert not turn.message.safety
                assert len(turn.message.parts) > 1, "it comes after something else"
                self.nudged.append((self.day, effect.rule))
            elif isinstance(effect, SettleNudge):
                self.outcomes.append(effect.outcome)
        self.state, self.message = turn.state, turn.message or self.message
        return turn

    def care(self) -> None:
        """Today's care from the first question to the report, as far as it goes."""
        self.do(Commanded(Command.TODAY))
        for _ in range(80):
            token = self._next()
            if token is None:
                return
            self.now += timedelta(minutes=1)
            self.do(Picked(token))

    def _next(self) -> PickToken | None:
        assert self.message is not None
        tokens = [c.token for c in buttons(self.message) if isinstance(c.token, PickToken)]
        asked = [t for t in tokens if t.question.split("/")[0] not in ("nudge", "booking", "reminder", "erase")]
        if not asked:
            return None
        name = asked[0].question.split("/")[-1]
        wanted = self.answers.get(name)
        if name == "pain" or name == "pain_after":
            wanted = str(self.pain(self.day, name == "pain_after"))
        for option in (wanted, *NONE):
            for token in asked:
                if token.option == option:
                    return token
        return asked[0]

    def tap(self, what: str) -> None:
        """A button of a nudge."""
        assert self.message is not None
        tokens = [c.token for c in buttons(self.message) if isinstance(c.token, PickToken)]
        self.do(Picked(next(t for t in tokens if t.question == what)))

    def live(self, each_day: "Callable[[Simulated], None]" = lambda one: one.care(), days: int = DAYS) -> "Simulated":
        """So many days, one after the other."""
        for day in range(days):
            self.day, self.now = day, BEGIN + timedelta(days=day)
            each_day(self)
        return self

    @property
    def rules(self) -> set[str]:
        return {rule for _, rule in self.nudged}


USUAL = {"age": "a20", "course": "weeks", "recurrence": "sometimes", "site": "back"}


def person(content: Content, pain: Callable[[int, bool], int] | None = None, **answers: str) -> Simulated:
    one = Simulated(content, {**USUAL, **answers})
    if pain is not None:
        one.pain = pain
    return one


def easing(day: int, after: bool) -> int:
    """From five to three, and no further."""
    return max(3, 5 - day // 7)


def asks(text: str) -> "Callable[[Simulated], None]":
    def each_day(one: Simulated) -> None:
        one.care()
        if one.day in (0, 30):
            one.do(Said(text))

    return each_day


THEIRS: Mapping[str, Callable[[Content], Simulated]] = {
    "recurrent": lambda c: person(c, easing, recurrence="often").live(),
    "returns": lambda c: person(c, lambda day, after: (3 if after else 5) - (2 if day > 13 else 0)).live(),
    "unchanged": lambda c: person(c, lambda day, after: 5).live(),
    "seen_unchanged": lambda c: person(c, lambda day, after: 5, course="mid_seen").live(),
    "calm": lambda c: person(c, lambda day, after: max(1, 4 - day // 7)).live(),
    "no_massage": lambda c: person(c, easing, n="any", named="yes").live(),
    "asked_exercise": lambda c: person(c, easing).live(asks("どんな運動が合いますか")),
    "asked_prevention": lambda c: person(c, easing).live(asks("再発しないようにするには？")),
}
"""For each rule somebody whom it is for."""


def spaced(one: Simulated) -> None:
    """At most one a week, none in the first session."""
    days = [day for day, _ in one.nudged]
    assert all(later - day >= 7 for day, later in pairwise(days)), days
    assert all(day > 0 for day in days)


@pytest.mark.parametrize("rule", THEIRS)
def test_every_rule_reaches_its_patient_and_not_more_than_once_a_week(content: Content, rule: str) -> None:
    one = THEIRS[rule](content)
    assert rule in one.rules, one.nudged
    spaced(one)


def test_there_is_a_patient_for_every_rule(content: Content) -> None:
    assert set(THEIRS) == {rule.id for rule in content.nudges.rule}


NOBODYS: Mapping[str, Callable[[Content], Simulated]] = {
    "emergency": lambda c: person(c, recurrence="often", e1="any", urine="yes").live(),
    "urgent": lambda c: person(c, recurrence="often", u1="any", fever="yes").live(),
    "doctor": lambda c: person(c, recurrence="often", d2="any", night_pain="yes").live(),
    "pregnant": lambda c: person(c, recurrence="often", d1="any", pregnancy="pregnant").live(),
    "minor": lambda c: person(c, recurrence="often", age="under18").live(),
    "family": lambda c: person(c, recurrence="often", age="proxy").live(),
    "once": lambda c: person(c, recurrence="often").live(days=1),
    "steady and better": lambda c: person(c, lambda day, after: max(3, 6 - day // 4)).live(),
    "declined": lambda c: person(c, recurrence="often", age="decline").live(days=20),
    "worse with care": lambda c: person(c, lambda day, after: 6 if after else 4, recurrence="often").live(),
}


@pytest.mark.parametrize("who", NOBODYS)
def test_nothing_is_pointed_out_to(content: Content, who: str) -> None:
    assert NOBODYS[who](content).nudged == []


@pytest.mark.parametrize("text", ["もう消えてしまいたい", "おしっこが出にくいです", "熱が39度あって腰が痛い"])
def test_nothing_is_pointed_out_after_a_warning_sign_in_words_until_it_is_cleared(content: Content, text: str) -> None:
    def each_day(one: Simulated) -> None:
        if one.day < 5 or one.day > 5:
            one.care() if one.state.lock is None else one.do(Commanded(Command.TODAY))
        else:
            one.do(Said(text))

    one = person(content, easing, recurrence="often").live(each_day)
    assert [day for day, _ in one.nudged if day >= 5] == []
    assert one.nudged, "there was one before"


def test_nothing_is_pointed_out_once_consent_is_withdrawn(content: Content) -> None:
    def each_day(one: Simulated) -> None:
        if one.day == 0:
            one.care()
            one.do(Commanded(Command.STOP))
        else:
            one.do(Said("どんな運動が合いますか"))

    assert person(content, recurrence="often").live(each_day).nudged == []


def test_a_rule_that_was_put_aside_rests_four_weeks(content: Content) -> None:
    def each_day(one: Simulated) -> None:
        before = len(one.nudged)
        one.care()
        if len(one.nudged) > before:
            one.tap("nudge/dismiss")

    one = person(content, easing, recurrence="often").live(each_day)
    days = [day for day, rule in one.nudged if rule == "recurrent"]
    assert len(days) >= 2
    assert all(later - day >= 28 for day, later in pairwise(days))
    assert set(one.outcomes) == {"dismissed"}


def test_who_books_after_a_nudge_is_counted_for_its_rule_and_hears_no_more_of_it(content: Content) -> None:
    starts = BEGIN + timedelta(days=40)
    free = (Free(starts, starts + timedelta(hours=1)),)

    def each_day(one: Simulated) -> None:
        before = len(one.nudged)
        one.care()
        if len(one.nudged) > before:
            one.tap("nudge/open")
            one.tap("booking/day")
            one.tap("booking/time")
            turn = one.do(Picked(PickToken(0, "booking/yes", "20260516T1100")))
            assert any(isinstance(effect, Book) for effect in turn.effects)

    one = person(content, easing, recurrence="often")
    one.free = free
    one.live(each_day, days=70)
    assert one.outcomes == ["opened", "booked"]
    assert len(one.nudged) == 1


def test_where_nothing_can_be_booked_nothing_is_pointed_out(content: Content) -> None:
    booking = content.clinic.booking.model_copy(update={"mode": "elsewhere"})
    silent = content.model_copy(update={"clinic": content.clinic.model_copy(update={"booking": booking})})
    assert person(silent, easing, recurrence="often").live(days=14).nudged == []
    phone = silent.model_copy(update={"clinic": silent.clinic.model_copy(update={"phone": "03-0000-0000"})})
    assert person(phone, easing, recurrence="often").live(days=14).nudged

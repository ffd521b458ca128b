"""The engine under random conversations: total, deterministic, and never a routine for one who has not been cleared."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from bot.content.load import load
from bot.content.model import CardAsk, Content
from bot.content.rules import DAILY
from bot.engine.state import (
    Asking,
    EraseContact,
    Facts,
    RaiseAlert,
    Reminder,
    SetConsents,
    SetReachable,
    State,
    Turn,
    Weekly,
)
from bot.engine.step import step
from bot.messages import (
    MAX_PARTS,
    Card,
    Carousel,
    Choice,
    Command,
    Commanded,
    CommandToken,
    Event,
    Followed,
    Garbled,
    Invited,
    Message,
    Picked,
    PickToken,
    ReminderDue,
    ReminderKind,
    Said,
    Showed,
    StaffDid,
    Unfollowed,
    Unsent,
    decode_token,
    encode_token,
)
from bot.store.codec import state_from, state_json

SEQUENCES = 10_000
LENGTH, SHORT = 24, 12
AGAIN = 0.1
SHARDS = 8
CONTENT = load(Path("content"))
ZONE = ZoneInfo("Asia/Tokyo")
START = datetime(2026, 4, 6, 1, 0, tzinfo=UTC)
TEXTS = (
    "5", "３", "次", "できた", "やめる", "メニュー", "こんにちは", "はい", "ない", "戻る", "スタッフと話したい", "今日のケア", "あああ",
    "毎晩9時にお知らせして", "9時", "平日だけ", "30分後に", "今日は休む", "お知らせを止めて", "昨日からおしっこが出にくいです", "熱が38度あります", "片足がしびれます", "ヘルニアと言われました", "消えたい", "もう疲れた", "熱はないです", "English", "",
)  # fmt: skip
SHADOW_ITEMS = frozenset(
    item for node in CONTENT.flows["screening"].node if isinstance(node, CardAsk) for item in node.items
)
CARDS = {node.id for flow in CONTENT.flows.values() for node in flow.node if isinstance(node, CardAsk)}
ITEM_CARDS = {n.id: n for n in CONTENT.flows["screening"].node if isinstance(n, CardAsk)}


def choices(message: Message) -> Iterator[Choice]:
    for part in message.parts:
        cards = part.cards if isinstance(part, Carousel) else (part,) if isinstance(part, Card) else ()
        for card in cards:
            yield from card.choices
    yield from message.quick


@dataclass
class Shadow:
    """What a careful human would note down beside the conversation, knowing nothing of the engine."""

    answered: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def note(self, token: PickToken, before: State, now: datetime) -> None:
        waiting = before.waiting
        if waiting is None or waiting.turn != token.turn or waiting.kind != "asking" or waiting.flow != "screening":
            return
        card = ITEM_CARDS.get(waiting.node)
        if card is None or token.question != "/".join(x for x in ("screening", waiting.node, waiting.item) if x):
            return
        if waiting.item:
            self.answered[waiting.item] = (token.option, now)
        elif token.option == "none":
            self.answered.update(dict.fromkeys(card.items, ("no", now)))

    def open_items(self, now: datetime) -> set[str]:
        """Items not answered, long ago answered, or answered with anything that is not "no"."""
        fortnight = timedelta(days=CONTENT.safety.freshness.screening_days)
        answers = {i: a for i, (a, at) in self.answered.items() if now - at < fortnight}
        return {i for i in SHADOW_ITEMS if answers.get(i) not in ("no", "antiplatelet")}


@dataclass
class Walker:
    """One random patient. `calm` ones mostly answer that nothing applies, so that many of them come to a routine."""

    rng: random.Random
    content: Content = CONTENT
    state: State = field(default_factory=State)
    now: datetime = START
    offered: list[Choice] = field(default_factory=list)
    old: list[PickToken] = field(default_factory=list)
    shadow: Shadow = field(default_factory=Shadow)
    pressures: int = 0
    locks: int = 0
    reminders: int = 0
    hushes: int = 0

    def __post_init__(self) -> None:
        self.calm = self.rng.random() < 0.5
        if self.rng.random() < 0.3:
            self.state = replace(self.state, reminder=Reminder(time(21), DAILY), weekly=Weekly(0, time(21)))

    def event(self) -> Event:
        if self.state.reminder is not None and self.rng.random() < 0.1:
            self.now += timedelta(hours=self.rng.choice((0, 0, 1, 24)))
            kind: ReminderKind = self.rng.choice(("care", "weekly"))
            return ReminderDue(kind, self.now, self.now + timedelta(minutes=self.rng.choice((0, 90, 90))))
        if self.rng.random() < 0.02:
            what: tuple[Literal["take_over", "say", "hand_back", "seen_doctor"], ...]
            what = ("take_over", "say", "hand_back", "seen_doctor")
            return StaffDid(self.rng.choice(what), "staff", "お電話します", self.now + timedelta(minutes=3))
        roll = self.rng.random()
        taps = [c.token for c in self.offered if isinstance(c.token, PickToken | CommandToken)]
        if roll < (0.93 if self.calm else 0.72) and taps:
            picks = [t for t in taps if isinstance(t, PickToken)]
            clear = [t for t in picks if t.option in ("none", "no", "begin", "next", "a20")]
            if clear and self.rng.random() < (0.97 if self.calm else 0.75):
                return Picked(self.rng.choice(clear))
            token = self.rng.choice(taps)
            return Picked(token) if isinstance(token, PickToken) else Commanded(token.command)
        if roll < (0.95 if self.calm else 0.78) and self.old:
            return Picked(self.rng.choice(self.old))
        if roll < (0.96 if self.calm else 0.88):
            return Said(self.rng.choice(TEXTS), "m1")
        if roll < (0.97 if self.calm else 0.93):
            return Commanded(self.rng.choice(list(Command)))
        if roll < 0.98:
            self.now += timedelta(hours=self.rng.choice((1, 5, 25, 24 * 8, 24 * 15)))
            return Commanded(Command.TODAY)
        return self.rng.choice(
            (Followed(), Unfollowed(), Showed("sticker"), Unsent("m1"), Invited(), Garbled(), Showed("image"))
        )

    def take(self, event: Event) -> Turn:
        """One event, with everything that must hold for any event in any state."""
        before, facts = self.state, Facts(self.now, ZONE, pages=True)
        turn = step(self.content, before, facts, event)
        if self.rng.random() < AGAIN:
            assert turn == step(self.content, before, facts, event), "the same arguments gave another turn"
        if isinstance(event, Picked):
            self.shadow.note(event.token, before, self.now)
            waiting = before.waiting
            routine = event.token.question.startswith(("routine/", "erase/"))
            old = waiting and event.token.turn != waiting.turn and not routine
            if old and turn.state.waiting and turn.state.begun_at == before.begun_at:
                assert turn.state.answers == before.answers, "an old button answered a question"
        if isinstance(event, ReminderDue):
            self.reminded(event, before, turn)
        if before.taken is not None and self.now < before.taken.until and not isinstance(event, StaffDid):
            self.hushed(before, turn)
        self.state = state_from(state_json(turn.state))
        assert self.state == turn.state, "the state did not survive being stored"
        if turn.message is not None:
            self.hear(turn.message)
        self.now += timedelta(seconds=self.rng.randrange(1, 90))
        return turn

    def hushed(self, before: State, turn: Turn) -> None:
        """While staff talk, the guide speaks only for safety and about the patient's own data, and forgets nothing."""
        own = any(isinstance(effect, SetConsents | SetReachable | EraseContact | RaiseAlert) for effect in turn.effects)
        card = isinstance(before.waiting, Asking) and before.waiting.node in CARDS
        if turn.message is not None:
            assert turn.message.safety or own or card
        elif not turn.effects:
            assert turn.state == before
        self.hushes += 1

    def reminded(self, event: ReminderDue, before: State, turn: Turn) -> None:
        """A reminder never touches what waits, and never comes to one who is flagged or has not agreed."""
        assert turn.state.waiting == before.waiting
        assert turn.state.answers == before.answers
        assert turn.state.clearance == before.clearance
        if turn.message is not None:
            self.reminders += 1
            assert before.lock is None
            assert "guidance" in before.consents
            wanted = before.weekly if event.reminder == "weekly" else before.reminder
            assert wanted is not None
            assert wanted.status == "on"

    def hear(self, message: Message) -> None:
        assert 1 <= len(message.parts) <= MAX_PARTS
        assert len(message.quick) <= 13
        self.offered = list(choices(message))
        for choice in self.offered:
            assert 1 <= len(choice.label) <= 20, choice.label
            assert [choice.token, choice.uri, choice.page].count(None) == 2
            if choice.token is not None:
                assert decode_token(encode_token(choice.token)) == choice.token
            if isinstance(choice.token, PickToken):
                self.old.append(choice.token)
        routine = any(isinstance(p, Card) and p.tone == "routine" for p in message.parts)
        lock = self.state.lock
        if lock is not None:
            self.locks += 1
            assert not routine, "a routine was shown to somebody flagged"
            assert self.state.clearance is None
        if routine and self.pressing():
            self.pressures += 1
            assert not self.shadow.open_items(self.now), "a routine with pressure was shown to somebody not cleared"

    def pressing(self) -> bool:
        waiting, clearance = self.state.waiting, self.state.clearance
        name = clearance.routine if clearance else waiting.routine if waiting and waiting.kind == "guiding" else None
        return name is not None and self.content.routines[name].pressure


@pytest.mark.parametrize("shard", range(SHARDS))
def test_random_conversations_never_break_a_promise(shard: int) -> None:
    pressures = locks = reminders = hushes = 0
    for number in range(shard, SEQUENCES, SHARDS):
        walker = Walker(random.Random(number))
        for _ in range(walker.rng.randrange(5, LENGTH if walker.calm else SHORT)):
            walker.take(walker.event())
        pressures, locks = pressures + walker.pressures, locks + walker.locks
        reminders += walker.reminders
        hushes += walker.hushes
    assert pressures > 20, "too few random patients came to a routine for the test to mean anything"
    assert reminders > 10, "too few random patients were reminded for the test to mean anything"
    assert hushes > 50, "staff talked with too few random patients for the test to mean anything"
    assert locks > 500, "too few random patients were flagged for the test to mean anything"


def test_commands_in_tokens_survive_encoding() -> None:
    for command in Command:
        assert decode_token(encode_token(CommandToken(command))) == CommandToken(command)
    for rubbish in ("", "p|", "p|x|a|b", "c|", "c|nothing", "p|1|a", "p|-1|a|b", "p|²|a|b", "p|1|a|b|c"):
        assert decode_token(rubbish) is None

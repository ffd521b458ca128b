"""Weeks of simulated patients with random symptoms: nothing that leads to a routine goes to anybody who is flagged.

SIMULATED_PATIENTS is how many (a few hundred by default; 10,000 for the full run)."""

import os
import random
import sys
from dataclasses import dataclass, field, replace
from datetime import time, timedelta

import pytest

from bot.content.rules import DAILY
from bot.engine.state import Facts, HoldTimed, Reminder, Turn, Weekly
from bot.engine.step import step
from bot.messages import Card, Command, CommandToken, Event, Message, PickToken, ReminderDue, Said
from tests.test_engine_properties import CONTENT, ZONE, Walker, choices

PATIENTS = int(os.environ.get("SIMULATED_PATIENTS", "160"))
SHARDS = 4
DAYS = 8
SCREENING = 20
"""More taps on a day on which the body check is to be finished."""

SYMPTOMS = (
    "おしっこが出にくいです", "両足がしびれて力が入りません", "熱が38度あります", "片足に力が入らず、つまずきます", "転んでから寝返りもできないほど痛いです",
    "消えたいです", "妊娠しているかもしれません", "片足がしびれます", "腰に赤いブツブツが出ました", "夜じっとしていても痛くて眠れません",
)  # fmt: skip
USEFUL = timedelta(minutes=90)


def leads_to_a_routine(message: Message) -> bool:
    """A card of a routine, a button that begins or goes on with one, or a timed message with the way to today's care."""
    cards = any(isinstance(part, Card) and part.tone == "routine" for part in message.parts)
    tokens = [choice.token for choice in choices(message)]
    return cards or any(isinstance(token, PickToken) and token.question.startswith("routine/") for token in tokens)


@dataclass
class Resident(Walker):
    """A random patient with a reminder and a weekly summary, followed over days. `waiting` is what was to go out timed."""

    waiting: list[Message] = field(default_factory=list)
    flagged_days: int = 0
    timed: int = 0
    routines: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.calm = True
        self.state = replace(self.state, reminder=Reminder(time(21), DAILY), weekly=Weekly(6, time(21)))

    def day(self) -> None:
        """Some taps and words, perhaps a symptom, then what falls due; what was waiting goes out the next morning."""
        first = SCREENING if self.state.screening is None else 0
        for _ in range(first + self.rng.randrange(3, 12)):
            self.live(self.event())
        if self.rng.random() < 0.25:
            self.live(Said(self.rng.choice(SYMPTOMS), "m1"))
        self.now = self.now.replace(hour=12, minute=0) + timedelta(days=int(self.now.hour >= 12))
        for kind in ("care", "weekly"):
            self.live(ReminderDue(kind, self.now, self.now + USEFUL))
        if self.rng.random() < 0.1:
            self.live(Said(self.rng.choice(SYMPTOMS), "m1"))
        for message in self.waiting:
            self.timed += 1
            assert self.state.lock is None, "a timed message left for somebody flagged"
            assert any(choice.token == CommandToken(Command.TODAY) for choice in choices(message))
        self.waiting.clear()
        self.flagged_days += self.state.lock is not None
        self.now += timedelta(hours=10)

    def live(self, event: Event) -> None:
        turn = step(CONTENT, self.state, Facts(self.now, ZONE, pages=True), event)
        self.state = turn.state
        self.now += timedelta(seconds=self.rng.randrange(1, 90))
        if any(isinstance(effect, HoldTimed) for effect in turn.effects):
            self.waiting.clear()  # as the outbox does
        if turn.message is None:
            return
        self.offered = list(choices(turn.message))
        if isinstance(event, ReminderDue):
            self.waiting.append(turn.message)
        self.never_flagged(turn, turn.message)

    def never_flagged(self, turn: Turn, message: Message) -> None:
        found = leads_to_a_routine(message)
        self.routines += found
        assert not (found and turn.state.lock is not None), "a way to a routine for somebody flagged"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_nothing_that_leads_to_a_routine_goes_to_anybody_flagged(shard: int) -> None:
    flagged = timed = routines = 0
    for number in range(shard, PATIENTS, SHARDS):
        patient = Resident(random.Random(f"resident {number}"), CONTENT)
        for _ in range(DAYS):
            patient.day()
        flagged, timed, routines = flagged + patient.flagged_days, timed + patient.timed, routines + patient.routines
    sys.stdout.write(f"{flagged} days flagged, {timed} timed messages, {routines} ways to a routine\n")
    assert flagged > PATIENTS // SHARDS, "too few were flagged for the test to mean anything"
    assert timed > PATIENTS // SHARDS // 4, "too few timed messages came for the test to mean anything"
    assert routines > PATIENTS // SHARDS // 2, "too few came to a routine for the test to mean anything"

"""Whole conversations with the real content, as LINE message objects."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from bot.channels.line.render import render
from bot.content.load import load
from bot.engine.state import Facts, State
from bot.engine.step import step
from bot.messages import (
    Card,
    Carousel,
    Command,
    Commanded,
    CommandToken,
    Event,
    Followed,
    Message,
    Picked,
    PickToken,
    Said,
    Showed,
)
from bot.simulator.wire import Json, check

CONTENT = load(Path(__file__).parents[2] / "content")
PATIENTS = (PickToken, CommandToken)
STRANGE = (Said("腰が重いです"), Said("おしっこが出ません"), Said("7"), Showed("sticker"), Showed("image"))


def conversation(seed: int, events: int) -> Iterator[Message]:
    """What a patient sees who taps whatever is offered, and now and then does something else."""
    chance = random.Random(seed)
    now = datetime(2026, 4, 1, tzinfo=UTC)
    state = State(locale="ja" if seed % 2 else "en")
    event: Event = Followed()
    offered: list[PickToken | CommandToken] = []
    for _ in range(events):
        turn = step(CONTENT, state, Facts(now, ZoneInfo("Asia/Tokyo")), event)
        state, now = turn.state, now + timedelta(seconds=chance.choice((5, 5, 5, 90_000)))
        if turn.message:
            yield turn.message
            offered = [*tokens(turn.message)]
        event = next_event(chance, offered)


def tokens(message: Message) -> Iterator[PickToken | CommandToken]:
    for part in message.parts:
        cards = part.cards if isinstance(part, Carousel) else (part,) if isinstance(part, Card) else ()
        yield from (choice.token for card in cards for choice in card.choices if isinstance(choice.token, PATIENTS))
    yield from (choice.token for choice in message.quick if isinstance(choice.token, PATIENTS))


def next_event(chance: random.Random, offered: list[PickToken | CommandToken]) -> Event:
    if offered and chance.random() < 0.85:
        clear = [one for one in offered if isinstance(one, PickToken) and one.option in ("none", "no", "begin", "next")]
        token = chance.choice(clear if clear and chance.random() < 0.8 else offered)
        return Picked(token) if isinstance(token, PickToken) else Commanded(token.command)
    return chance.choice((*STRANGE, Commanded(chance.choice(list(Command)))))


@pytest.mark.parametrize("seed", range(20))
def test_everything_the_guide_says_fits_line_without_being_degraded(seed: int) -> None:
    kinds = set()
    with capture_logs() as logs:
        for message in conversation(seed, events=80):
            messages: list[Json] = [dict(one) for one in render(message, "https://bot.example/media")]  # type: ignore[arg-type]
            assert check("push", {"to": "U" + "0" * 32, "messages": messages}) == (), message
            kinds |= {part.kind for part in message.parts}
    assert logs == []
    assert "card" in kinds

"""A whole conversation as webhook events, made by asking the engine itself: the same for every newcomer."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

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
    StaffToken,
    Token,
    encode_token,
)
from tests.bench.load import Obj

WANTED = ("a20", "none", "no", "begin", "next", "done")
"""Answers of somebody who may massage; where none of them is offered, the first button is tapped."""


def conversation(content_dir: Path, taps: int) -> list[Obj]:
    """Adding the account, the beginning, and `taps` answers: the screening and into the routine."""
    content = load(content_dir)
    facts = Facts(datetime.now(UTC), ZoneInfo(content.clinic.time_zone))
    told: list[Obj] = [{"type": "follow", "follow": {"isUnblocked": False}}]
    turn = step(content, State(), facts, Followed())
    for _ in range(1 + taps):
        token = _answer(turn.message)
        told.append({"type": "postback", "postback": {"data": encode_token(token)}})
        turn = step(content, turn.state, facts, _tap(token))
    return told


def _answer(message: Message | None) -> Token:
    offered = [one for one in _tokens(message) if isinstance(one, PickToken)] if message else []
    for wanted in WANTED:
        for one in offered:
            if one.option == wanted:
                return one
    return offered[0] if offered else CommandToken(Command.START)


def _tokens(message: Message) -> list[Token]:
    cards = [
        card
        for part in message.parts
        for card in (part.cards if isinstance(part, Carousel) else (part,) if isinstance(part, Card) else ())
    ]
    choices = [*(choice for card in cards for choice in card.choices), *message.quick]
    return [choice.token for choice in choices if choice.token is not None]


def _tap(token: Token) -> Event:
    match token:
        case PickToken():
            return Picked(token)
        case CommandToken(command):
            return Commanded(command)
        case StaffToken():
            raise AssertionError("no patient sees these")

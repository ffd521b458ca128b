"""What a running program has at hand. Made once, in app.py; nothing else reaches for a global."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from bot.channels.base import Channel
from bot.config import Settings
from bot.content.model import Content
from bot.engine.state import Facts, State, Turn
from bot.engine.step import step
from bot.messages import Event
from bot.store.session import Database

Step = Callable[[Content, State, Facts, Event], Turn]


class Wake:
    """Called after a commit that a worker should look at. Without a listener it does nothing: workers look again every
    second anyway, so a call that gets lost costs time and never an answer."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[], None], ...] = ()

    def __call__(self) -> None:
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """`listener` must be quick, must not raise and may be called from any thread."""
        self._listeners = (*self._listeners, listener)


def clock() -> datetime:
    """The real time, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Runtime:
    """`random` gives numbers in [0, 1) for jitter. `channels` are those the operator set up, by name."""

    settings: Settings
    db: Database
    content: Content
    channels: Mapping[str, Channel]
    now: Callable[[], datetime] = clock
    new_uuid: Callable[[], UUID] = uuid4
    random: Callable[[], float] = random.random
    wake: Wake = field(default_factory=Wake)
    step: Step = step

"""The engine's one way in: an event in, a turn out. Pure: the same arguments give the same turn."""

from bot.content.model import Content
from bot.engine.state import Facts, State, Turn
from bot.messages import Event


def step(content: Content, state: State, facts: Facts, event: Event) -> Turn:
    raise NotImplementedError

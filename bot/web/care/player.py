"""The guided player: the steps of the routine under way, for a page that counts by itself."""

from dataclasses import dataclass
from typing import assert_never

from bot.content.model import Step
from bot.engine import guide
from bot.web.care.visit import Visit


@dataclass(frozen=True, slots=True)
class Slide:
    """One step. `seconds` is for each of `sides` (0: no clock); `sides` are left, right or "" for no side."""

    title: str
    text: str
    picture: str
    alt: str
    seconds: int
    sides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Play:
    """`first` is the slide to begin with: where the chat is."""

    title: str
    stop: str
    slides: tuple[Slide, ...]
    first: int


def play(visit: Visit) -> Play | None:
    """None unless a routine is under way that may be gone on with now."""
    waiting = guide.under_way(visit.draft)
    if waiting is None:
        return None
    routine = visit.draft.content.routines[waiting.routine]
    steps = {step.id: step for step in (*routine.step, *routine.after)}
    slides = tuple(_slide(visit, steps[name], waiting.short) for name in waiting.steps)
    return Play(visit.say(routine.title), visit.say(routine.stop), slides, min(waiting.index, len(slides) - 1))


def _slide(visit: Visit, step: Step, short: bool) -> Slide:
    match step.side:
        case "each":
            sides: tuple[str, ...] = ("left", "right")
        case "left" | "right":
            sides = (step.side,)
        case "none" | "both":
            sides = ("",)
        case other:
            assert_never(other)
    picture = step.picture
    say = visit.say
    return Slide(say(step.title), say(step.text), picture.file, say(picture.alt), guide.seconds(step, short), sides)

"""Where the lines and marks of the pain trend stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.progress import Point

WIDTH, HEIGHT = 340, 230
LEFT, RIGHT, TOP, BOTTOM = 34, 14, 14, 34
WORST = 10
LABELS = 4
"""Days written under the chart at most."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One pain number, in the chart's own units."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A number beside a line, or a day under the chart."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn."""

    before: tuple[Mark, ...]
    after: tuple[Mark, ...]
    levels: tuple[Tick, ...]
    days: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT

    @staticmethod
    def path(marks: Sequence[Mark]) -> str:
        """Points of a polyline."""
        return " ".join(f"{mark.x:g},{mark.y:g}" for mark in marks)


def chart(points: Sequence[Point]) -> Chart:
    """Nought at the bottom, ten at the top, the newest at the right."""
    before = tuple(Mark(_x(i, len(points)), _y(p.before)) for i, p in enumerate(points) if p.before is not None)
    after = tuple(Mark(_x(i, len(points)), _y(p.after)) for i, p in enumerate(points) if p.after is not None)
    levels = tuple(Tick(LEFT - 8, _y(level), str(level)) for level in (0, 5, WORST))
    every = -(-len(points) // LABELS)
    days = tuple(
        Tick(_x(i, len(points)), HEIGHT - 10, f"{p.day.month}/{p.day.day}")
        for i, p in enumerate(points)
        if (len(points) - 1 - i) % every == 0
    )
    return Chart(before, after, levels, days)


def _x(index: int, count: int) -> float:
    """A single point stands in the middle."""
    room = WIDTH - LEFT - RIGHT - 32
    return LEFT + 16 + (room / 2 if count == 1 else round(room * index / (count - 1), 1))


def _y(level: int) -> float:
    return TOP + round((HEIGHT - TOP - BOTTOM) * (WORST - level) / WORST, 1)

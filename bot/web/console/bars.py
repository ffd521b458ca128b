"""Where the bars of the console's charts stand, in the chart's own units. The pages draw them; every chart has its table."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 300, 200
LEFT, RIGHT, TOP, BOTTOM = 4, 4, 22, 38
LEAST = 10
"""People of whom a share is given in percent; of fewer only the numbers are."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column to be drawn."""

    under: str
    value: float
    shown: str
    tone: str
    beneath: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A column from the ground up. `shown` stands over it, `under` and in small print `beneath` below the ground."""

    x: float
    y: float
    width: float
    height: float
    shown: str
    under: str
    beneath: str
    tone: str

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class Columns:
    """Everything that is drawn."""

    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    ground: int = HEIGHT - BOTTOM


def columns(values: Sequence[Column], most: float) -> Columns:
    """Side by side; `most` is as high as a column gets."""
    room = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    gap = min(8, room * 0.22)
    bars = []
    for index, one in enumerate(values):
        height = round((HEIGHT - TOP - BOTTOM) * one.value / most, 1) if most else 0
        x = round(LEFT + room * index + gap / 2, 1)
        y = round(HEIGHT - BOTTOM - height, 1)
        bars.append(Bar(x, y, round(room - gap, 1), height, one.shown, one.under, one.beneath, one.tone))
    return Columns(tuple(bars))


def share(part: int, whole: int) -> float | None:
    """In percent; None where it would say more than so few people can: `part` and `whole` themselves are shown."""
    return 100 * part / whole if whole >= LEAST else None


def percent(part: int, whole: int) -> str:
    """The share in words; empty for too few. Some are never "0%", and not all never "100%"."""
    found = share(part, whole)
    if found is None:
        return ""
    if 0 < part < whole:
        return "<1%" if found < 1 else ">99%" if found > 99 else f"{found:.0f}%"
    return f"{found:.0f}%"


def short(count: int) -> str:
    """In five characters at most."""
    return str(count) if count < 10_000 else f"{count // 1000}k"

"""Figures and how they are shown."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several rounds."""

    low: float
    median: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)} to {_short(self.high)})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values: Sequence[float]) -> Spread:
    """At least one value."""
    return Spread(min(values), statistics.median(values), max(values))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Round by round: a drift of the machine meets both halves of a round."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -int(-len(ranked) * percent // 100) - 1)]


@dataclass(frozen=True, slots=True)
class Aim:
    """What acceptance asks for."""

    bound: float
    way: Literal["at least", "at most"]

    def __str__(self) -> str:
        return f"{self.way} {self.bound:g}"

    def met(self, value: float) -> bool:
        return value >= self.bound if self.way == "at least" else value <= self.bound


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table. `judged` is what the aim is held against."""

    name: str
    shown: str
    aim: Aim | None = None
    judged: float = 0.0

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        return f"{self.aim}: {'met' if self.aim.met(self.judged) else 'MISSED'}"


def table(title: str, lines: Sequence[Line]) -> str:
    """In columns."""
    name = max(len(line.name) for line in lines)
    shown = max(len(line.shown) for line in lines)
    rows = (f"  {line.name:{name}}  {line.shown:>{shown}}  {line.verdict}".rstrip() for line in lines)
    return "\n".join((title, *rows, ""))
